use std::rc::Rc;

async fn pause() {}

#[staso::tool]
async fn share(shared: Rc<u8>) -> u8 {
    pause().await;
    *shared
}

fn spawn(_: impl Future + Send) {}

fn main() {
    spawn(share(Rc::new(1)));
}
