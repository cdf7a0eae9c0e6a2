async fn step() -> bool {
    true
}

#[staso::agent]
async fn walk() {
    'steps: loop {
        staso::span!("step", {
            if step().await {
                break;
            }
            for _ in 0..3 {
                if step().await {
                    continue 'steps;
                }
                break;
            }
        });
    }
}

fn main() {
    drop(walk());
}
