use std::{error::Error, fmt};

use serde::Serialize;
use staso::Usage;

/// A language model that can call tools.
pub(crate) trait Model {
    fn name(&self) -> &str;

    fn complete(&self, messages: &[Message]) -> Result<Completion, ModelError>;
}

/// Asks the model, in a span that says which one it was and how many tokens it used.
pub(crate) fn complete(model: &impl Model, messages: &[Message]) -> Result<Reply, ModelError> {
    staso::span!("chat", kind = "llm", |span| {
        span.set_model(model.name());
        span.set_input(messages);
        let Completion { reply, usage } = model.complete(messages)?;
        span.set_usage(usage);
        span.set_output(&reply);
        Ok(reply)
    })
}

/// What is said in a chat, in the form that chat APIs take.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub(crate) enum Message {
    System {
        content: String,
    },
    User {
        content: String,
    },
    Assistant {
        content: Reply,
    },
    /// What came of the tool call before it.
    Tool {
        content: String,
    },
}

/// What a model says: an answer, or a wish for a tool.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Reply {
    Text(String),
    Call(ToolCall),
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "tool", content = "arguments", rename_all = "snake_case")]
pub(crate) enum ToolCall {
    LookUpOrder { order_id: u32 },
    RefundOrder { order_id: u32 },
}

impl Message {
    /// What the model reads of it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::System { content } | Self::User { content } | Self::Tool { content } => content.clone(),
            Self::Assistant { content } => content.text(),
        }
    }
}

impl Reply {
    /// What the model writes for it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(answer) => answer.clone(),
            Self::Call(call) => serde_json::json!(call).to_string(),
        }
    }
}

/// A reply, and what it cost.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) reply: Reply,
    pub(crate) usage: Usage,
}

#[derive(Debug)]
pub(crate) enum ModelError {
    PromptTooLong { tokens: u64, most: u64 },
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PromptTooLong { tokens, most } => {
                write!(f, "the prompt has {tokens} tokens, and the model reads at most {most}")
            }
        }
    }
}

impl Error for ModelError {}
