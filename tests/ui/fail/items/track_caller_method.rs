struct Shop;

impl Shop {
    #[staso::tool]
    #[track_caller]
    fn open(&self) {}

    #[staso::tool]
    #[track_caller]
    fn new() -> Self {
        Shop
    }
}

fn main() {
    Shop::new().open();
}
