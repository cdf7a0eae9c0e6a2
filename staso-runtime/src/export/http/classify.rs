//! What an answer, or the lack of one, means for a batch. Wire contract, section 11.

use std::{io, time::Duration};

use crate::export::{ExportError, FailureKind, Retry};

/// The longest wait, in seconds, that a backend can ask for.
const LONGEST_WAIT: f64 = 60.0;

/// What is wrong with a status; `None` where the acknowledgement decides.
pub(super) fn refusal(status: u16, retry_after: Option<&str>) -> Option<ExportError> {
    let (kind, what) = match status {
        200..=299 => return None,
        300..=399 => (
            FailureKind::MalformedResponse,
            "the backend redirects, which is not followed: set STASO_BASE_URL to where it points",
        ),
        401 => (FailureKind::InvalidKey, "the backend does not know this API key: check STASO_API_KEY"),
        402 => (FailureKind::PlanExpired, "the organization's plan does not cover tracing: renew it"),
        403 => (
            FailureKind::Forbidden,
            "the API key may not write here: check its workspaces and STASO_WORKSPACE_SLUG",
        ),
        404 => (FailureKind::MalformedResponse, "no ingest API at this address: check STASO_BASE_URL"),
        407 => {
            (FailureKind::MalformedResponse, "the proxy asks for a user and password: put them into its URL")
        }
        413 => (FailureKind::MalformedResponse, "the request is larger than the backend takes"),
        429 => return Some(rate_limited(retry_after)),
        500..=599 => (FailureKind::BackendUnavailable, "the backend had an error of its own"),
        _ => (FailureKind::MalformedResponse, "the backend refused the request"),
    };
    let retry = match (kind, status) {
        (FailureKind::BackendUnavailable, _) => Retry::Backoff,
        (_, 413) => Retry::Split,
        _ => Retry::Never,
    };
    Some(ExportError::new(kind, format!("{what} (HTTP status {status})")).retry(retry))
}

fn rate_limited(retry_after: Option<&str>) -> ExportError {
    match retry_after.and_then(wait) {
        Some(wait) => {
            let what = format!("the backend asks for a wait of {} s (HTTP status 429)", wait.as_secs_f64());
            ExportError::new(FailureKind::RateLimited, what).retry(Retry::After(wait))
        }
        None => ExportError::new(
            FailureKind::RateLimited,
            "the backend asks for fewer requests and names no wait of at most 60 s (HTTP status 429)",
        ),
    }
}

/// Reads a `Retry-After` of 0 to 60 seconds, decimals allowed. Dates are not understood.
fn wait(retry_after: &str) -> Option<Duration> {
    let seconds: f64 = retry_after.trim().parse().ok()?;
    (0.0..=LONGEST_WAIT).contains(&seconds).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

/// An answer that does not acknowledge the whole batch.
pub(super) fn incomplete(what: &str) -> ExportError {
    let what = format!("not a complete acknowledgement: {what}; is STASO_BASE_URL that of a Staso backend?");
    ExportError::new(FailureKind::MalformedResponse, what)
}

/// No answer, or half of one.
pub(super) fn transport(error: &ureq::Error, base_url: &str) -> ExportError {
    use ureq::Error;

    match error {
        Error::Timeout(_) => timeout(base_url),
        Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => timeout(base_url),
        Error::BodyExceedsLimit(limit) => incomplete(&format!("the answer is longer than {limit} bytes")),
        Error::LargeResponseHeader(..) => incomplete("the head of the answer is too long"),
        Error::Protocol(what) => incomplete(&format!("the answer is not HTTP ({what})")),
        Error::ConnectProxyFailed(what) if what.contains(" 407") => {
            unreachable_backend(base_url, "the proxy asks for a user and password: put them into its URL")
        }
        Error::ConnectProxyFailed(what) => unreachable_backend(base_url, what),
        Error::Io(error) => unreachable_backend(base_url, &error.to_string()),
        Error::HostNotFound => unreachable_backend(base_url, "host not found"),
        error => unreachable_backend(base_url, &error.to_string()),
    }
}

/// A single span that the backend finds too large.
pub(super) fn span_too_large(bytes: usize) -> ExportError {
    let what = format!(
        "a span of {bytes} bytes is larger than the backend takes in one request: lower `field_limit`, or raise \
         the limit of the backend or its proxy (HTTP status 413)"
    );
    ExportError::new(FailureKind::MalformedResponse, what)
}

/// An answer that says yes to a request that was not sent whole.
pub(super) fn cut_short(base_url: &str) -> ExportError {
    unreachable_backend(base_url, "the connection broke before the request was sent")
}

fn timeout(base_url: &str) -> ExportError {
    let what = format!("no complete answer from {base_url} before the deadline");
    ExportError::new(FailureKind::Timeout, what).retry(Retry::Backoff)
}

fn unreachable_backend(base_url: &str, what: &str) -> ExportError {
    let what = format!("cannot talk to {base_url}: {what}");
    ExportError::new(FailureKind::NetworkUnavailable, what).retry(Retry::Backoff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_and_retry(status: u16, retry_after: Option<&str>) -> (FailureKind, Retry) {
        let error = refusal(status, retry_after).expect("a refusal");
        assert!(error.message().contains(&format!("HTTP status {status}")), "{error}");
        (error.kind(), error.retry_advice())
    }

    #[test]
    fn a_status_below_300_leaves_the_decision_to_the_acknowledgement() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(refusal(status, None), None, "{status}");
        }
    }

    #[test]
    fn a_status_has_the_kind_that_the_contract_gives_it() {
        for (statuses, kind, retry) in [
            (&[301, 302, 304, 308][..], FailureKind::MalformedResponse, Retry::Never),
            (&[400, 404, 407, 408, 409, 418, 422, 600], FailureKind::MalformedResponse, Retry::Never),
            (&[413], FailureKind::MalformedResponse, Retry::Split),
            (&[401], FailureKind::InvalidKey, Retry::Never),
            (&[402], FailureKind::PlanExpired, Retry::Never),
            (&[403], FailureKind::Forbidden, Retry::Never),
            (&[500, 502, 503, 504, 599], FailureKind::BackendUnavailable, Retry::Backoff),
        ] {
            for status in statuses {
                assert_eq!(kind_and_retry(*status, None), (kind, retry), "{status}");
                assert_eq!(kind_and_retry(*status, Some("1")), (kind, retry), "{status}, with a wait");
            }
        }
    }

    #[test]
    fn only_a_wait_of_0_to_60_seconds_is_waited_for() {
        for (text, millis) in [
            ("0", 0),
            ("1", 1_000),
            (" 1.5 ", 1_500),
            (".25", 250),
            ("6e1", 60_000),
            ("60", 60_000),
            ("60.0", 60_000),
        ] {
            let wait = Retry::After(Duration::from_millis(millis));
            assert_eq!(kind_and_retry(429, Some(text)), (FailureKind::RateLimited, wait), "{text:?}");
        }
        for text in [
            "",
            "-1",
            "-0.001",
            "60.001",
            "61",
            "1e308",
            "1e999",
            "NaN",
            "inf",
            "-inf",
            "1s",
            "1,5",
            "0x10",
            "Wed, 21 Oct 2026 07:28:00 GMT",
        ] {
            assert_eq!(kind_and_retry(429, Some(text)), (FailureKind::RateLimited, Retry::Never), "{text:?}");
        }
        assert_eq!(kind_and_retry(429, None), (FailureKind::RateLimited, Retry::Never));
    }

    #[test]
    fn failures_of_the_transport_are_tried_again_and_answers_that_are_none_are_not() {
        use ureq::{Error, Timeout};

        let io = |kind: io::ErrorKind| Error::Io(kind.into());
        for (error, kind, retry) in [
            (Error::Timeout(Timeout::Global), FailureKind::Timeout, Retry::Backoff),
            (io(io::ErrorKind::TimedOut), FailureKind::Timeout, Retry::Backoff),
            (io(io::ErrorKind::ConnectionRefused), FailureKind::NetworkUnavailable, Retry::Backoff),
            (io(io::ErrorKind::NotConnected), FailureKind::NetworkUnavailable, Retry::Backoff),
            (Error::HostNotFound, FailureKind::NetworkUnavailable, Retry::Backoff),
            (Error::Tls("bad certificate"), FailureKind::NetworkUnavailable, Retry::Backoff),
            (Error::ConnectionFailed, FailureKind::NetworkUnavailable, Retry::Backoff),
            (Error::BodyExceedsLimit(9), FailureKind::MalformedResponse, Retry::Never),
            (Error::LargeResponseHeader(2, 1), FailureKind::MalformedResponse, Retry::Never),
        ] {
            let classified = transport(&error, "https://api.staso.ai");
            assert_eq!((classified.kind(), classified.retry_advice()), (kind, retry), "{error}");
        }
    }

    #[test]
    fn messages_say_where_and_what_to_do() {
        let refused = ureq::Error::Io(io::Error::other("connection refused"));
        assert_eq!(
            transport(&refused, "https://api.staso.ai").to_string(),
            "network_unavailable: cannot talk to https://api.staso.ai: connection refused"
        );
        let proxy = ureq::Error::ConnectProxyFailed("proxy server responded 407/407".to_owned());
        assert!(transport(&proxy, "").message().ends_with("put them into its URL"));
        assert_eq!(
            refusal(401, None).unwrap().to_string(),
            "invalid_key: the backend does not know this API key: check STASO_API_KEY (HTTP status 401)"
        );
    }
}
