#[staso::tool(skip_all, fields(order = id), err, ret, level = "debug", parent = None, target = "shop")]
fn refund(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[staso::trace(follows_from = cause, properties = {"a": "b"}, span_type = "llm")]
fn ask() {}

#[staso::agent(agent_name = "bot", session_id = "c", model = "m")]
fn answer() {}

fn main() {
    staso::span!("a", level = "info", ret, {});
    staso::conversation!(session_id = "c", user = "u", {});
}
