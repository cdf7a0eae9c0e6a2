/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everyone, under whatever name: load balancers and orchestrators call by an address that nobody knows before.
    /// The answer is one word that says nothing of what is stored.
    Probe,
    /// Everyone.
    Public,
    /// A page or form: a key, or the session that a key opened; others are led to the login page.
    Page,
    /// Data: a key or a session, else 401.
    Data,
    /// What SDKs send: a key in a header, else 401. A session does not do, so that no page elsewhere can
    /// make a browser write.
    Write,
}

/// Every route there is, with its parameters as `{}`. One that is missing here answers 401 to everybody.
pub const ROUTES: &[(&str, Rule)] = &[
    ("/healthz", Rule::Probe),
    ("/readyz", Rule::Probe),
    ("/login", Rule::Public),
    ("/logout", Rule::Public),
    ("/assets/{}", Rule::Public),
    ("/openapi.json", Rule::Data),
    ("/v1/traces/ingest", Rule::Write),
    ("/v1/traces/{}/annotations", Rule::Write),
    ("/v1/traces", Rule::Data),
    ("/v1/traces/{}", Rule::Data),
    ("/v1/traces/{}/spans", Rule::Data),
    ("/v1/traces/{}/spans/{}", Rule::Data),
    ("/v1/conversations", Rule::Data),
    ("/v1/conversations/{}", Rule::Data),
    ("/v1/agents", Rule::Data),
    ("/v1/users", Rule::Data),
    ("/v1/metrics", Rule::Data),
    ("/v1/facets", Rule::Data),
    ("/v1/workspaces", Rule::Data),
    ("/v1/live", Rule::Data),
    ("/", Rule::Page),
    ("/traces", Rule::Page),
    ("/traces/{}", Rule::Page),
    ("/traces/{}/rows", Rule::Page),
    ("/traces/{}/spans/{}", Rule::Page),
    ("/traces/{}/spans/{}/text", Rule::Page),
    ("/conversations", Rule::Page),
    ("/conversations/{}", Rule::Page),
    ("/users", Rule::Page),
    ("/agents/{}", Rule::Page),
    ("/settings", Rule::Page),
    ("/settings/keys", Rule::Page),
    ("/settings/keys/{}/revoke", Rule::Page),
    ("/settings/workspaces", Rule::Page),
];

/// The rule of a route as the router names it, such as `/traces/{trace_id}`.
pub(super) fn of(route: &str) -> Option<Rule> {
    ROUTES.iter().find_map(|(path, rule)| same(path, route).then_some(*rule))
}

/// Whether an answer of this route is as long as its trace.
pub(super) fn reads_whole_trace(route: &str) -> bool {
    ["/v1/traces/{}", "/traces/{}", "/traces/{}/rows"].iter().any(|path| same(path, route))
}

fn same(path: &str, route: &str) -> bool {
    let (mut ours, mut theirs) = (path.split('/'), route.split('/'));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some("{}"), Some(parameter)) if parameter.starts_with('{') => {}
            (Some(our), Some(their)) if our == their => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_parameters_do_not_matter_and_everything_else_does() {
        assert_eq!(of("/v1/traces/{trace_id}/spans/{id}"), Some(Rule::Data));
        assert_eq!(of("/v1/traces/ingest"), Some(Rule::Write));
        for unknown in ["/v1/traces/{id}/other", "/v1", "/trace", "/traces/", "/traces/x"] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
    }
}
