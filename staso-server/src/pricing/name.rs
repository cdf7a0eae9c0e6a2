use super::seller::Seller;

/// What the name of a model says: who sold the call, and under which names a table may list the model.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ModelName {
    pub(super) seller: Option<Seller>,
    /// As it came, in the spelling of [`canonical`].
    pub(super) whole: String,
    /// Names of rows, the most exact one first.
    pub(super) listed: Vec<String>,
    /// Without what gateways put around it. Empty when no plain name stands for it.
    pub(super) plain: String,
    /// Whether it is a variant that costs nothing.
    pub(super) is_free: bool,
}

impl ModelName {
    /// Reads `openrouter/anthropic/claude-sonnet-4.5:online`, `azure:gpt-4o`, `us.anthropic.claude-3-haiku-20240307-v1:0`.
    pub(super) fn of(model: &str) -> Self {
        let whole = model.trim().to_ascii_lowercase();
        let (mut seller, mut rest) = (None, whole.as_str());
        while let Some((before, after)) = rest.split_once(['/', ':']) {
            let known = Seller::of(before);
            if known.is_none() || after.is_empty() {
                break;
            }
            seller = match seller {
                None | Some(Seller::Proxy) => known,
                outermost => outermost,
            };
            rest = after;
            if let Some(Seller::Host(_)) = seller {
                break;
            }
        }
        let has_path = rest.len() < whole.len() || rest.contains('/');
        let last = rest.rsplit('/').next().unwrap_or(rest);
        let mut name = Self {
            seller,
            whole: canonical(&whole),
            listed: Vec::new(),
            plain: String::new(),
            is_free: has_path && last.ends_with(":free"),
        };
        if let Some(base) = tuned(last) {
            name.listed.push(format!("ft:{}", canonical(base)));
            return name;
        }
        if let Some(Seller::Host(host)) = seller {
            name.listed.extend([rest, last].map(|path| format!("{host}/{}", canonical(path))));
        }
        match Endpoint::of(last) {
            Some(endpoint) => {
                name.seller = Some(Seller::Cloud("bedrock"));
                endpoint.list(&mut name);
            }
            None => name.plain = canonical(without_variant(last)),
        }
        name
    }

    pub(super) fn is_claude(&self) -> bool {
        self.plain.starts_with("claude-")
    }
}

/// One of Amazon's: `us.anthropic.claude-sonnet-4-5-20250929-v1:0`.
struct Endpoint<'a> {
    region: &'a str,
    maker: &'a str,
    model: &'a str,
}

impl<'a> Endpoint<'a> {
    const REGIONS: [&'static str; 11] =
        ["us", "eu", "apac", "jp", "au", "in", "ca", "global", "us-gov", "uk", "ap"];
    const MAKERS: [&'static str; 17] = [
        "anthropic",
        "amazon",
        "meta",
        "mistral",
        "cohere",
        "ai21",
        "deepseek",
        "qwen",
        "openai",
        "google",
        "nvidia",
        "moonshotai",
        "moonshot",
        "minimax",
        "writer",
        "zai",
        "twelvelabs",
    ];

    fn of(name: &'a str) -> Option<Self> {
        let (first, rest) = name.split_once('.')?;
        let (region, maker, model) = match rest.split_once('.') {
            Some((maker, model)) if Self::REGIONS.contains(&first) => (first, maker, model),
            _ => ("", first, rest),
        };
        Self::MAKERS.contains(&maker).then_some(Self { region, maker, model })
    }

    fn list(&self, name: &mut ModelName) {
        let model = canonical(without_version(without_revision(self.model)));
        match (self.maker, self.region) {
            ("anthropic", "" | "global") | ("amazon", "" | "us" | "global") => name.plain = model,
            // Government regions have prices that no row has.
            ("anthropic", region) if region != "us-gov" => {
                name.listed.push(format!("regional/{model}"));
                name.plain = model;
            }
            (maker, "" | "us") => name.listed.push(format!("bedrock/{maker}-{model}")),
            _ => {}
        }
    }
}

/// The model that a fine-tuned one was made of: `ft:gpt-4o-mini-2024-07-18:team::id`, Azure's `gpt-4o-2024-08-06.ft-id`.
fn tuned(name: &str) -> Option<&str> {
    match name.strip_prefix("ft:") {
        Some(rest) => rest.split(':').next(),
        None => name.split_once(".ft-").map(|(base, _)| base),
    }
}

/// Without what gateways append to say how to route a call, which changes no token's price.
fn without_variant(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((base, "online" | "nitro" | "floor" | "exacto" | "beta" | "thinking")) => base,
        Some(_) if without_revision(name).len() < name.len() => without_version(without_revision(name)),
        _ => name,
    }
}

/// Without Amazon's revision: `:0`, `:1:200k`.
fn without_revision(name: &str) -> &str {
    match name.split_once(':') {
        Some((base, revision)) if revision.split(':').next().is_some_and(is_number) => base,
        _ => name,
    }
}

/// Without the version of an endpoint behind the model's own: `-v1`, `-v2`.
fn without_version(name: &str) -> &str {
    match name.rsplit_once("-v") {
        Some((model, version)) if is_number(version) => model,
        _ => name,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// One spelling for all: `claude-3.5-sonnet`, `claude-3-5-sonnet`; `gpt-35-turbo`, `gpt-3.5-turbo`; `-2024-08-06`,
/// `-20240806`, `@20240806`; `claude-4.5-sonnet`, `claude-sonnet-4-5`.
pub(super) fn canonical(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    let (model, date) = match lower.split_once('@') {
        Some((model, "default" | "latest")) => (without_version(model), ""),
        Some((model, date)) => (without_version(model), date),
        None => (lower.as_str(), ""),
    };
    let dashed = model.replace(['.', '_'], "-").replace("gpt-35-", "gpt-3-5-");
    let mut parts: Vec<&str> = dashed.split('-').collect();
    if !date.is_empty() {
        parts.push(date);
    }
    let joined = joined_dates(&parts);
    family_first(&joined).unwrap_or(joined)
}

/// The parts with a dash between, but none within a date.
fn joined_dates(parts: &[&str]) -> String {
    let digits =
        |part: Option<&&str>, count: usize| part.is_some_and(|part| part.len() == count && is_number(part));
    let mut joined = String::new();
    let mut in_date = 0;
    for (index, part) in parts.iter().enumerate() {
        if index > 0 && in_date == 0 {
            joined.push('-');
        }
        in_date = usize::saturating_sub(in_date, 1);
        let is_year = digits(Some(part), 4) && part.starts_with("20");
        if is_year && digits(parts.get(index + 1), 2) && digits(parts.get(index + 2), 2) {
            in_date = 2;
        }
        joined.push_str(part);
    }
    joined
}

/// `claude-4-5-sonnet-20250929` as its maker writes it since version 4: `claude-sonnet-4-5-20250929`.
fn family_first(name: &str) -> Option<String> {
    let rest = name.strip_prefix("claude-")?;
    let (at, family) =
        ["-sonnet", "-opus", "-haiku"].iter().find_map(|family| Some((rest.find(family)?, family)))?;
    let (version, after) = (rest.get(..at)?, rest.get(at + family.len()..)?);
    let is_version = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_new =
        version.split('-').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= 4);
    (is_version && is_new).then(|| format!("claude{family}-{version}{after}"))
}

/// The name without the day of its version, where it ends with one.
pub(super) fn without_date(canonical: &str) -> Option<&str> {
    let (family, date) = canonical.rsplit_once('-')?;
    let is_date = date.len() == 8 && date.starts_with("20") && is_number(date);
    let in_range = |from: usize, most: u32| {
        date.get(from..from + 2)
            .and_then(|text| text.parse().ok())
            .is_some_and(|number| (1..=most).contains(&number))
    };
    (is_date && in_range(4, 12) && in_range(6, 31)).then_some(family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_gateways_stand_for_the_makers() {
        for (model, plain) in [
            ("gpt-4o", "gpt-4o"),
            ("openai/gpt-4o:online", "gpt-4o"),
            ("openai:gpt-4o", "gpt-4o"),
            ("gpt-35-turbo-0613", "gpt-3-5-turbo-0613"),
            ("gpt-4o-2024-08-06", "gpt-4o-20240806"),
            ("command-r-plus-08-2024", "command-r-plus-08-2024"),
            ("openrouter/anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
            ("anthropic/claude-4.5-sonnet-20250929", "claude-sonnet-4-5-20250929"),
            ("anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet"),
            ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet-20241022"),
            ("vertex_ai/claude-sonnet-4@20250514", "claude-sonnet-4-20250514"),
            ("projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "gemini-2-5-pro"),
            ("google-gla:gemini-2.5-flash", "gemini-2-5-flash"),
            ("bedrock/us-east-1/anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku-20240307"),
            ("us.amazon.nova-pro-v1:0", "nova-pro"),
        ] {
            assert_eq!(ModelName::of(model).plain, plain, "{model}");
        }
    }

    #[test]
    fn what_has_a_price_of_its_own_is_not_named_plainly() {
        for (model, listed) in [
            ("ft:gpt-4o-mini-2024-07-18:team::id", "ft:gpt-4o-mini-20240718"),
            ("azure/gpt-4o-2024-08-06.ft-0123", "ft:gpt-4o-20240806"),
            ("us.meta.llama3-3-70b-instruct-v1:0", "bedrock/meta-llama3-3-70b-instruct"),
        ] {
            let name = ModelName::of(model);
            assert_eq!((&*name.listed[0], &*name.plain), (listed, ""), "{model}");
        }
        assert_eq!(ModelName::of("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0").plain, "");
        assert_eq!(ModelName::of("groq/openai/gpt-oss-120b").listed[0], "groq/openai/gpt-oss-120b");
        assert_eq!(ModelName::of("llama3:8b").plain, "llama3:8b");
    }
}
