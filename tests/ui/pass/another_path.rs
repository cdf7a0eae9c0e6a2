mod deep {
    pub use ::staso as traced;
}

#[deep::traced::tool(crate = crate::deep::traced)]
async fn double(n: u8) -> u8 {
    crate::deep::traced::span!("add", crate = crate::deep::traced, { identity!(n) * 2 })
}

macro_rules! identity {
    ($value:expr) => {
        $value
    };
}
use identity;

fn main() {
    drop(double(1));
    assert_eq!(deep::traced::conversation!(crate = deep::traced, { 1 }), 1);
}
