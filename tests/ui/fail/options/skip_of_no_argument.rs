#[staso::tool(skip(card))]
fn refund(order: u64, card_number: &str) -> bool {
    order > 0 && !card_number.is_empty()
}

struct Shop;

impl Shop {
    #[staso::tool(only(shop))]
    fn open(&self, (hour, _): (u8, u8)) -> bool {
        hour > 8
    }

    #[staso::tool(skip(shop))]
    fn close() {}
}

fn main() {
    refund(1, "");
    Shop.open((9, 0));
    Shop::close();
}
