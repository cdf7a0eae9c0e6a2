use serde::Deserialize;
use utoipa::IntoParams;

use super::{duration, given, name, one_of, owned, range};
use crate::{
    http::ApiError,
    model::{
        ConversationFilter, Cursor, MetricsFilter, PageRequest, SpanKind, StatusFilter, TextField, Timestamp,
        TraceFilter, TraceSort,
    },
    store::{MAX_TURNS, text::TextQuery},
};

/// A text is looked for word by word in everything that may have it, so there is an end to their number.
const MOST_WORDS: usize = 100;

/// Which traces, in which order.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TraceParameters {
    /// The workspace's slug; by default that of the key, else `default`.
    pub workspace: Option<String>,
    /// Those that ran in this environment.
    pub environment: Option<String>,
    /// Those with a span of this agent.
    pub agent: Option<String>,
    /// Those with a span of this conversation.
    pub conversation: Option<String>,
    /// Those with a span for this end user.
    pub user: Option<String>,
    /// Those with a span of this kind: `agent`, `tool`, `llm`, `retriever`, `chain` or `custom`.
    pub kind: Option<String>,
    /// Those that stand so: `running`, `unfinished` (running, but nothing arrived for 15 minutes), `ok`, `error`,
    /// `timeout` or `other`, or `failed` for errors and timeouts.
    pub status: Option<String>,
    /// Those with a span that called this model.
    pub model: Option<String>,
    /// Those with a span that has this tag.
    pub tag: Option<String>,
    /// Those that started at this time or later: RFC 3339, or before now such as `15m`, `24h`, `7d`, or `all`.
    pub since: Option<String>,
    /// Those that started before this time: as for `since`.
    pub until: Option<String>,
    /// Those that lasted at least so long, such as `200ms` or `1.5s`.
    pub min_duration: Option<String>,
    /// Those whose names, inputs, outputs and errors contain every word of this text, and every phrase that is in
    /// quotation marks. Case, accents and width make no difference. At most 100 words.
    pub text: Option<String>,
    /// Where to look for the text: `user` for what people said, `answers`, `tools` for what went into them and came out,
    /// `errors`, `rest`, or `all`, which is the default.
    pub text_in: Option<String>,
    /// `newest` first, which is the default, `slowest`, `costliest` or `tokens`.
    pub sort: Option<String>,
    /// How many, from 1 to 500; 50 by default.
    pub limit: Option<String>,
    /// The `next_cursor` of the page before this one.
    pub cursor: Option<String>,
}

impl TraceParameters {
    /// Which traces.
    ///
    /// # Errors
    ///
    /// 400 that names the parameter and what it may be.
    pub fn filter(&self, now: Timestamp) -> Result<TraceFilter, ApiError> {
        let text_in = TextField::ALL.map(|field| (field.as_str(), Some(field)));
        let text_in = one_of("text_in", &self.text_in, text_in.into_iter().chain([("all", None)]))?.flatten();
        let text = owned(&self.text);
        if text.as_deref().is_some_and(|text| text.split_whitespace().nth(MOST_WORDS).is_some()) {
            return Err(ApiError::bad_parameter("text", format!("`text` has more than {MOST_WORDS} words")));
        }
        if text.as_deref().is_some_and(|text| TextQuery::parse(text, text_in).is_none()) {
            return Err(ApiError::bad_parameter("text", "there is nothing to search for in `text`"));
        }
        let min_duration =
            given(&self.min_duration).map(|text| duration("min_duration", text)).transpose()?;
        Ok(TraceFilter {
            environment: name(&self.environment),
            agent: name(&self.agent),
            conversation: name(&self.conversation),
            user: name(&self.user),
            kind: one_of("kind", &self.kind, SpanKind::ALL.map(|kind| (kind.as_str(), kind)))?,
            status: one_of(
                "status",
                &self.status,
                StatusFilter::ALL.map(|status| (status.as_str(), status)),
            )?,
            model: name(&self.model),
            tag: name(&self.tag),
            range: range(&self.since, &self.until, now)?,
            min_duration_micros: min_duration
                .map(|least| u64::try_from(least.as_micros()).unwrap_or(u64::MAX)),
            text,
            text_in,
        })
    }

    /// In which order.
    ///
    /// # Errors
    ///
    /// 400 with the orders that there are.
    pub fn sort(&self) -> Result<TraceSort, ApiError> {
        one_of("sort", &self.sort, SORTS).map(Option::unwrap_or_default)
    }

    /// Which part of the list.
    ///
    /// # Errors
    ///
    /// 400 when the limit is out of range.
    pub fn page(&self) -> Result<PageRequest, ApiError> {
        page(&self.limit, &self.cursor, 50, 500)
    }
}

/// The orders of traces by their names in a query.
const SORTS: [(&str, TraceSort); 4] = [
    ("newest", TraceSort::Newest),
    ("slowest", TraceSort::Slowest),
    ("costliest", TraceSort::Costliest),
    ("tokens", TraceSort::MostTokens),
];

/// Which conversations.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConversationParameters {
    /// The workspace's slug; by default that of the key, else `default`.
    pub workspace: Option<String>,
    /// Those with a trace in this environment.
    pub environment: Option<String>,
    /// Those with a span of this agent.
    pub agent: Option<String>,
    /// Those with a span for this end user.
    pub user: Option<String>,
    /// `true`: only those with a failed trace.
    pub failed: Option<String>,
    /// Those last active at this time or later: RFC 3339, or before now such as `24h`, or `all`.
    pub since: Option<String>,
    /// Those last active before this time: as for `since`.
    pub until: Option<String>,
    /// How many, from 1 to 500; 50 by default.
    pub limit: Option<String>,
    /// The `next_cursor` of the page before this one.
    pub cursor: Option<String>,
}

impl ConversationParameters {
    /// Which conversations.
    ///
    /// # Errors
    ///
    /// 400 that names the parameter and what it may be.
    pub fn filter(&self, now: Timestamp) -> Result<ConversationFilter, ApiError> {
        let failed = one_of("failed", &self.failed, [("true", true), ("false", false)])?;
        Ok(ConversationFilter {
            environment: name(&self.environment),
            agent: name(&self.agent),
            user: name(&self.user),
            failed_only: failed.unwrap_or(false),
            range: range(&self.since, &self.until, now)?,
        })
    }

    /// Which part of the list.
    ///
    /// # Errors
    ///
    /// 400 when the limit is out of range.
    pub fn page(&self) -> Result<PageRequest, ApiError> {
        page(&self.limit, &self.cursor, 50, 500)
    }
}

/// Which end users.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserParameters {
    /// The workspace's slug; by default that of the key, else `default`.
    pub workspace: Option<String>,
    /// Those with a run in this environment.
    pub environment: Option<String>,
    /// Those with a run of this agent.
    pub agent: Option<String>,
    /// Those with a call of this model.
    pub model: Option<String>,
    /// Runs that started at this time or later: RFC 3339, or before now such as `24h`, or `all`.
    pub since: Option<String>,
    /// Runs that started before this time: as for `since`.
    pub until: Option<String>,
    /// How many, from 1 to 500; 50 by default.
    pub limit: Option<String>,
    /// The `next_cursor` of the page before this one.
    pub cursor: Option<String>,
}

impl UserParameters {
    /// Of which runs.
    ///
    /// # Errors
    ///
    /// 400 that names the parameter and what it may be.
    pub fn filter(&self, now: Timestamp) -> Result<MetricsFilter, ApiError> {
        Ok(MetricsFilter {
            environment: name(&self.environment),
            agent: name(&self.agent),
            user: None,
            model: name(&self.model),
            range: range(&self.since, &self.until, now)?,
        })
    }

    /// Which part of the list.
    ///
    /// # Errors
    ///
    /// 400 when the limit is out of range.
    pub fn page(&self) -> Result<PageRequest, ApiError> {
        page(&self.limit, &self.cursor, 50, 500)
    }
}

/// Which part of a list that has no filters.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// The workspace's slug; by default that of the key, else `default`.
    pub workspace: Option<String>,
    /// How many, from 1 to 1,000; 100 by default.
    pub limit: Option<String>,
    /// The `next_cursor` of the page before this one.
    pub cursor: Option<String>,
}

impl PageParameters {
    /// Which part of the list.
    ///
    /// # Errors
    ///
    /// 400 when the limit is out of range.
    pub fn page(&self) -> Result<PageRequest, ApiError> {
        page(&self.limit, &self.cursor, 100, 1_000)
    }
}

/// Which turns of a conversation.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TurnParameters {
    /// The workspace's slug; by default that of the key, else `default`.
    pub workspace: Option<String>,
    /// How many, from 1 to 50, which is the default.
    pub limit: Option<String>,
    /// The `next_cursor` of the page before this one.
    pub cursor: Option<String>,
}

impl TurnParameters {
    /// Which part of the conversation.
    ///
    /// # Errors
    ///
    /// 400 when the limit is out of range.
    pub fn page(&self) -> Result<PageRequest, ApiError> {
        page(&self.limit, &self.cursor, MAX_TURNS, MAX_TURNS)
    }
}

/// The one parameter of requests that take nothing else.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WorkspaceParameter {
    /// The workspace's slug; by default that of the key, else `default`.
    pub workspace: Option<String>,
}

fn page(
    limit: &Option<String>,
    cursor: &Option<String>,
    default: usize,
    most: usize,
) -> Result<PageRequest, ApiError> {
    Ok(PageRequest { limit: super::limit(limit, default, most)?, after: given(cursor).map(Cursor::new) })
}

#[cfg(test)]
mod tests {
    use axum::{extract::FromRequestParts, http::Request};

    use super::*;
    use crate::query::Parameters;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    async fn read(query: &str) -> Result<TraceParameters, String> {
        let (mut parts, ()) = Request::get(format!("/v1/traces?{query}")).body(()).unwrap().into_parts();
        let read = Parameters::from_request_parts(&mut parts, &()).await;
        read.map(|Parameters(read)| read).map_err(|error| error.message().to_owned())
    }

    #[tokio::test]
    async fn every_condition_reaches_the_filter() {
        let query = "workspace=w&environment=prod&agent=a%26b&conversation=c&user=u&kind=LLM&status=failed&model=m\
                     &tag=t&since=1h&until=30m&min_duration=1.5s&text=late%20refund&text_in=errors&sort=slowest&limit=7&cursor=x";
        let read = read(query).await.unwrap();
        let expected = TraceFilter {
            environment: Some("prod".to_owned()),
            agent: Some("a&b".to_owned()),
            conversation: Some("c".to_owned()),
            user: Some("u".to_owned()),
            kind: Some(SpanKind::Llm),
            status: Some(StatusFilter::Failed),
            model: Some("m".to_owned()),
            tag: Some("t".to_owned()),
            range: crate::model::TimeRange {
                since: Some(NOW.plus_micros(-3_600_000_000)),
                until: Some(NOW.plus_micros(-1_800_000_000)),
            },
            min_duration_micros: Some(1_500_000),
            text: Some("late refund".to_owned()),
            text_in: Some(TextField::Errors),
        };
        assert_eq!(read.filter(NOW).unwrap(), expected);
        assert_eq!(read.sort().unwrap(), TraceSort::Slowest);
        assert_eq!(read.page().unwrap(), PageRequest { limit: 7, after: Some(Cursor::new("x")) });
    }

    #[tokio::test]
    async fn what_a_form_leaves_empty_is_no_condition() {
        let read =
            read("environment=&kind=&since=&min_duration=&text=%20&sort=&limit=&cursor=").await.unwrap();
        assert_eq!(read.filter(NOW).unwrap(), TraceFilter::default());
        assert_eq!(read.sort().unwrap(), TraceSort::Newest);
        assert_eq!(read.page().unwrap(), PageRequest::first(50));
    }

    #[tokio::test]
    async fn a_mistake_is_named_with_what_is_allowed() {
        for (query, expected) in [
            ("kind=robot", "`kind` must be one of agent, tool, llm, retriever, chain, custom"),
            (
                "status=broken",
                "`status` must be one of running, ok, failed, error, timeout, other, unfinished",
            ),
            ("sort=best", "`sort` must be one of newest, slowest, costliest, tokens"),
            ("limit=0", "`limit` must be a number from 1 to 500"),
            ("text=%00", "there is nothing to search for in `text`"),
            ("text=%22%22", "there is nothing to search for in `text`"),
            (&*format!("text={}", "a+".repeat(101)), "`text` has more than 100 words"),
            ("text_in=questions", "`text_in` must be one of user, answers, tools, errors, rest, all"),
            ("limit=501", "`limit` must be a number from 1 to 500"),
            ("user=a&user=b", "`user` is given more than once"),
        ] {
            let message = match read(query).await {
                Err(message) => message,
                Ok(read) => {
                    let mistakes = [read.filter(NOW).err(), read.sort().err(), read.page().err()];
                    mistakes.into_iter().flatten().next().unwrap().message().to_owned()
                }
            };
            assert_eq!(message, expected, "{query}");
        }
        let unknown = read("enviroment=prod").await.unwrap_err();
        assert!(
            unknown.starts_with("there is no parameter `enviroment`; known are workspace, environment"),
            "{unknown}"
        );
    }
}
