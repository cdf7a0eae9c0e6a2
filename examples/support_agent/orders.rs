use std::{collections::BTreeMap, error::Error, fmt};

use serde::Serialize;

/// The shop's orders, by number. Its methods are the agent's tools.
pub(crate) struct OrderBook {
    orders: BTreeMap<u32, Order>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Order {
    pub(crate) order_id: u32,
    pub(crate) item: &'static str,
    pub(crate) price: Euros,
    pub(crate) status: Status,
    /// Nobody's business but the payment provider's: neither the model nor a trace sees it.
    #[serde(skip)]
    card: Card,
}

#[derive(Clone, Debug)]
struct Card {
    number: &'static str,
    is_expired: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    InTransit { arrives: &'static str },
    Delivered { on: &'static str },
    Refunded,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Refund {
    pub(crate) order_id: u32,
    pub(crate) refunded: Euros,
    pub(crate) reference: String,
}

impl OrderBook {
    pub(crate) fn sample() -> Self {
        let visa = Card { number: "4556 7375 8689 9855", is_expired: false };
        let expired = Card { number: "5425 2334 3010 9903", is_expired: true };
        let in_transit = Status::InTransit { arrives: "Thursday" };
        let delivered = Status::Delivered { on: "2 March" };
        let orders = [
            (1017, "brass desk lamp", Euros::cents(8_900), delivered, expired),
            (1029, "oak bookshelf", Euros::cents(21_950), delivered, visa.clone()),
            (1035, "floor lamp", Euros::cents(14_900), Status::Refunded, visa.clone()),
            (1042, "standing desk", Euros::cents(64_900), in_transit, visa),
        ];
        let order =
            |(order_id, item, price, status, card)| (order_id, Order { order_id, item, price, status, card });
        Self { orders: orders.into_iter().map(order).collect() }
    }

    #[staso::tool]
    pub(crate) fn look_up_order(&self, order_id: u32) -> Result<Order, OrderError> {
        self.orders.get(&order_id).cloned().ok_or(OrderError::Unknown { order_id })
    }

    #[staso::tool]
    pub(crate) fn refund_order(&mut self, order_id: u32) -> Result<Refund, OrderError> {
        let order = self.orders.get_mut(&order_id).ok_or(OrderError::Unknown { order_id })?;
        if order.status == Status::Refunded {
            return Err(OrderError::AlreadyRefunded { order_id });
        }
        let reference = credit(&order.card, order.price)?;
        order.status = Status::Refunded;
        Ok(Refund { order_id, refunded: order.price, reference })
    }
}

/// Pays a sum back to a card, and gives the booking's reference. The card stays out of the trace.
#[staso::tool(name = "payments.credit", skip(card), tags = ["payments"])]
fn credit(card: &Card, amount: Euros) -> Result<String, OrderError> {
    let (_, last_digits) = card.number.rsplit_once(' ').unwrap_or(("", card.number));
    if card.is_expired {
        return Err(OrderError::CardExpired { last_digits });
    }
    Ok(format!("credit-{last_digits}-{}", amount.cents))
}

/// Why a tool did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum OrderError {
    Unknown { order_id: u32 },
    AlreadyRefunded { order_id: u32 },
    CardExpired { last_digits: &'static str },
}

impl OrderError {
    /// Whether the agent can do no more about it than hand over.
    pub(crate) fn needs_a_human(&self) -> bool {
        matches!(self, Self::CardExpired { .. })
    }
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { order_id } => write!(f, "there is no order {order_id}"),
            Self::AlreadyRefunded { order_id } => write!(f, "order {order_id} was refunded before"),
            Self::CardExpired { last_digits } => {
                write!(f, "the bank refused the refund, as the card ending in {last_digits} has expired")
            }
        }
    }
}

impl Error for OrderError {}

/// A sum of money, written as `649.00 EUR`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(into = "String")]
pub(crate) struct Euros {
    cents: u32,
}

impl Euros {
    const fn cents(cents: u32) -> Self {
        Self { cents }
    }
}

impl From<Euros> for String {
    fn from(sum: Euros) -> Self {
        format!("{}.{:02} EUR", sum.cents / 100, sum.cents % 100)
    }
}
