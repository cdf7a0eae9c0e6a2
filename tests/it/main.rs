//! What users write, and the spans it makes. Nothing here needs a client: each test captures its own spans.

mod going_on;
mod hostile;
mod interleaving;
mod left_early;
mod scopes;
mod shapes;
mod status;
