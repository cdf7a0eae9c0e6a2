use serde_json::Value;
use staso::Usage;

use crate::{
    bm25::words,
    model::{Completion, Message, Model, ModelError, Reply, ToolCall},
};

/// Takes the place of a language model: sees only the messages, and follows a few rules.
pub(crate) struct StandIn;

/// How much the stand-in reads, in tokens.
const CONTEXT_WINDOW: u64 = 4_096;

impl Model for StandIn {
    fn name(&self) -> &str {
        "stand-in-1"
    }

    fn complete(&self, messages: &[Message]) -> Result<Completion, ModelError> {
        let input = messages.iter().map(|message| tokens(&message.text())).sum();
        if input > CONTEXT_WINDOW {
            return Err(ModelError::PromptTooLong { tokens: input, most: CONTEXT_WINDOW });
        }
        let reply = reply(messages);
        let usage = Usage::new(input, tokens(&reply.text()));
        Ok(Completion { reply, usage })
    }
}

/// Looks an order up before it speaks of it, refunds it when asked to, then answers.
fn reply(messages: &[Message]) -> Reply {
    let questions = messages.iter().filter_map(|message| match message {
        Message::User { content } => Some(content.as_str()),
        _ => None,
    });
    let question = questions.clone().next_back().unwrap_or_default();
    let results: Vec<&str> = messages
        .iter()
        .filter_map(|message| match message {
            Message::Tool { content } => Some(content.as_str()),
            _ => None,
        })
        .collect();

    // A question about "it" means the order that was last spoken of.
    let speaks_of_order = order_number(question).is_some() || question.split(' ').any(|word| word == "it");
    let order_id = questions.rev().find_map(order_number).filter(|_| speaks_of_order);
    let wants_refund = words(question).any(|word| word == "refund");
    match (order_id, results.as_slice()) {
        (Some(order_id), []) => Reply::Call(ToolCall::LookUpOrder { order_id }),
        (Some(order_id), [order]) if wants_refund && !order.starts_with("Error") => {
            Reply::Call(ToolCall::RefundOrder { order_id })
        }
        _ => Reply::Text(answer(question, &results, messages)),
    }
}

/// What the last tool said, and the sentence of the help articles that fits the question best.
fn answer(question: &str, results: &[&str], messages: &[Message]) -> String {
    let found = results.last().map(|result| describe(result));
    let advice = messages.iter().find_map(|message| match message {
        Message::System { content } => best_sentence(question, content),
        _ => None,
    });
    let said: Vec<String> = found.into_iter().chain(advice.map(|advice| format!("{advice}."))).collect();
    if said.is_empty() { "I do not know, but I can ask a colleague.".to_owned() } else { said.join(" ") }
}

/// A sentence about what a tool gave.
fn describe(result: &str) -> String {
    let Ok(result) = serde_json::from_str::<Value>(result) else {
        return format!("I am sorry: {}.", result.trim_start_matches("Error: "));
    };
    let text = |pointer: &str| result.pointer(pointer).and_then(Value::as_str);
    let order = format!("order {}", result["order_id"]);
    let item = text("/item").unwrap_or("item");
    if let Some(sum) = text("/refunded") {
        format!("I have refunded {sum} for {order}.")
    } else if let Some(day) = text("/status/in_transit/arrives") {
        format!("Your {item} ({order}) is on its way and arrives on {day}.")
    } else if let Some(day) = text("/status/delivered/on") {
        format!("Your {item} ({order}) was delivered on {day}.")
    } else {
        format!("Your {item} ({order}) was refunded.")
    }
}

/// The sentence that has, with its heading, the most words of the question; `None` when that is only one.
fn best_sentence<'a>(question: &str, articles: &'a str) -> Option<&'a str> {
    let question: Vec<String> = words(question).collect();
    let mut heading = "";
    // Passages come in the order of their rank: of sentences that fit equally well, the first is best.
    let mut best = (1, None);
    for line in articles.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title;
        }
        for sentence in line.split_terminator(". ").filter(|_| !heading.is_empty() && !line.starts_with('#'))
        {
            let present: Vec<String> = words(heading).chain(words(sentence)).collect();
            let in_common = question.iter().filter(|word| present.contains(word)).count();
            if in_common > best.0 {
                best = (in_common, Some(sentence.trim_end_matches('.')));
            }
        }
    }
    best.1
}

/// The number of an order has four digits.
fn order_number(text: &str) -> Option<u32> {
    text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 4)?.parse().ok()
}

/// Tokens of a text, counted as a tokenizer would that knows no words: a token for every four letters or
/// digits in a row, for what is left of them, and for any other character but blanks.
fn tokens(text: &str) -> u64 {
    let mut tokens = 0;
    let mut run = 0;
    for c in text.chars() {
        if c.is_alphanumeric() {
            tokens += u64::from(run % 4 == 0);
            run += 1;
        } else {
            tokens += u64::from(!c.is_whitespace());
            run = 0;
        }
    }
    tokens
}
