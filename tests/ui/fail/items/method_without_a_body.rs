trait Sell {
    #[staso::tool]
    fn sell(&self, item: &str);
}

struct Shop;

impl Sell for Shop {
    fn sell(&self, _: &str) {}
}

fn main() {
    Shop.sell("lamp");
}
