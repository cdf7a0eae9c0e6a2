struct Shop;

#[staso::tool]
impl Shop {
    fn open(&self) {}
}

#[staso::tool]
trait Sell {
    fn sell(&self) {}
}

impl Sell for Shop {}

fn main() {
    Shop.open();
    Shop.sell();
}
