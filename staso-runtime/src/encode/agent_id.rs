use std::collections::HashMap;

use uuid::{Uuid, fmt::Hyphenated, uuid};

use crate::record::short;

/// Fixed by the wire contract, section 5.
const NAMESPACE: Uuid = uuid!("a1b2c3d4-e5f6-7890-abcd-ef1234567890");

/// The `agent_id` under which Staso knows the agent of a name: a UUID that every SDK derives alike.
///
/// The name is taken as it is, with its case and its spaces.
///
/// ```
/// assert_eq!(staso::agent_id("demo-agent"), "0cf2c2fe-e545-5eaa-b378-d7b106699088");
/// ```
#[must_use]
pub fn agent_id(name: &str) -> String {
    of(&short(name)).to_string()
}

fn of(name: &str) -> Hyphenated {
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).hyphenated()
}

/// Identifiers of agents, which follow from their names; each is worked out once.
#[derive(Default)]
pub(super) struct AgentIds<'a> {
    known: HashMap<&'a str, Hyphenated>,
}

impl<'a> AgentIds<'a> {
    pub(super) fn of(&mut self, name: &'a str) -> Hyphenated {
        *self.known.entry(name).or_insert_with(|| of(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_that_other_sdks_derive_from_the_same_names() {
        let mut ids = AgentIds::default();
        for (name, id) in [
            ("demo-agent", "0cf2c2fe-e545-5eaa-b378-d7b106699088"),
            ("support-bot", "db9640e0-b131-55a4-a5cd-0ded511b7f92"),
            ("Support-Bot", "faf2d27b-5eab-56bc-a442-7d366c8eaa25"),
            ("агент", "cf1bc1c7-a9c6-5726-a91c-6fac99fb520c"),
            ("a b", "1c4b6042-31b8-532c-abc8-6d3c8cb9f01c"),
            ("", "3639b375-9779-5616-8e43-a967e6cdf609"),
        ] {
            assert_eq!(ids.of(name).to_string(), id, "{name:?}");
            assert_eq!(ids.of(name).to_string(), id, "{name:?}, remembered");
            assert_eq!(agent_id(name), id, "{name:?}");
        }
    }
}
