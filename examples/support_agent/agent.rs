use std::{error::Error, fmt};

use crate::{
    model::{Message, Model, ModelError, Reply, ToolCall, complete},
    orders::{OrderBook, OrderError},
    search::{HelpCenter, Passage},
};

/// Answers questions with a model, help articles and the shop's order book, and remembers what was said.
pub(crate) struct SupportAgent<M> {
    model: M,
    help: HelpCenter,
    orders: OrderBook,
    history: Vec<Message>,
}

/// Requests to the model for one question; one that needs more is going round in circles.
const MOST_STEPS: usize = 6;

/// Passages of help articles that the model is given.
const PASSAGES: usize = 3;

impl<M: Model> SupportAgent<M> {
    pub(crate) fn new(model: M, help: HelpCenter, orders: OrderBook) -> Self {
        Self { model, help, orders, history: Vec::new() }
    }

    /// One turn of the conversation. `self` is not captured, the question and the answer are.
    #[staso::agent(name = "support-bot", metadata(turn = self.turn()))]
    pub(crate) fn answer(&mut self, question: &str) -> Result<String, AgentError> {
        let passages = self.help.search_docs(question, PASSAGES);
        self.history.push(Message::User { content: question.to_owned() });
        let mut messages = vec![instructions(&passages)];
        messages.extend(self.history.iter().cloned());

        for _ in 0..MOST_STEPS {
            match complete(&self.model, &messages)? {
                Reply::Text(answer) => {
                    let content = Reply::Text(answer.clone());
                    self.history.push(Message::Assistant { content });
                    return Ok(answer);
                }
                Reply::Call(call) => {
                    let content = self.run_tool(&call)?;
                    messages.push(Message::Assistant { content: Reply::Call(call) });
                    messages.push(Message::Tool { content });
                }
            }
        }
        Err(AgentError::TooManySteps)
    }

    fn turn(&self) -> usize {
        self.history.iter().filter(|message| matches!(message, Message::User { .. })).count() + 1
    }

    /// What the model is told of a tool's outcome. A refusal is something to tell the customer; what needs
    /// a human ends the turn.
    fn run_tool(&mut self, call: &ToolCall) -> Result<String, AgentError> {
        let outcome = match call {
            ToolCall::LookUpOrder { order_id } => self.orders.look_up_order(*order_id).map(json),
            ToolCall::RefundOrder { order_id } => self.orders.refund_order(*order_id).map(json),
        };
        match outcome {
            Ok(content) => Ok(content),
            Err(error) if error.needs_a_human() => Err(error.into()),
            Err(error) => Ok(format!("Error: {error}")),
        }
    }
}

fn instructions(passages: &[Passage]) -> Message {
    let mut content = "You are the support agent of Lumen & Oak. Use the tools for anything about an order, \
                       and the help articles for anything else.\n"
        .to_owned();
    for passage in passages {
        content.extend(["\n## ", &passage.title, "\n", &passage.text, "\n"]);
    }
    Message::System { content }
}

fn json<T: serde::Serialize>(value: T) -> String {
    serde_json::json!(value).to_string()
}

/// Why a turn has no answer.
#[derive(Debug)]
pub(crate) enum AgentError {
    Order(OrderError),
    Model(ModelError),
    TooManySteps,
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(error) => error.fmt(f),
            Self::Model(error) => error.fmt(f),
            Self::TooManySteps => write!(f, "the model gave no answer in {MOST_STEPS} steps"),
        }
    }
}

impl Error for AgentError {}

impl From<OrderError> for AgentError {
    fn from(error: OrderError) -> Self {
        Self::Order(error)
    }
}

impl From<ModelError> for AgentError {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}
