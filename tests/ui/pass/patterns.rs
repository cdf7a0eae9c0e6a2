#![deny(warnings)]

#[allow(dead_code)]
struct Point {
    x: u8,
    y: u8,
}

struct Opaque;

#[staso::tool(metadata(sum = a + 1))]
fn patterns(
    (a, ref b): (u8, String),
    Point { x, .. }: Point,
    _: Opaque,
    &c: &u8,
    [first, rest @ ..]: [u8; 3],
    mut d: Vec<u8>,
    _unused: u8,
    #[allow(unused_variables)] ignored: u8,
) -> usize {
    d.extend(rest);
    usize::from(a + x + c + first) + b.len() + d.len()
}

#[staso::tool(skip(secret, b))]
fn skipped(secret: &str, (a, b): (u8, u8)) -> usize {
    secret.len() + usize::from(a + b)
}

#[staso::tool(only(b))]
fn chosen(a: u8, (b, _): (u8, u8)) -> u8 {
    a + b
}

fn main() {
    let spans = staso::testing::capture(|| {
        patterns((1, "b".into()), Point { x: 2, y: 3 }, Opaque, &4, [5, 6, 7], vec![8], 9, 10);
        skipped("secret", (1, 2));
        chosen(1, (2, 3));
    });
    let names = |index: usize| spans[index].input.as_object().expect("arguments").len();
    let input = &spans[0].input;
    assert_eq!(names(0), 9, "{input}");
    assert!(input["a"] == 1 && input["b"] == "b" && input["x"] == 2 && input["c"] == 4, "{input}");
    assert!(input["first"] == 5 && input["rest"][1] == 7 && input["d"][0] == 8, "{input}");
    assert!(input["_unused"] == 9 && input["ignored"] == 10, "{input}");
    assert!(names(1) == 1 && spans[1].input["a"] == 1);
    assert!(names(2) == 1 && spans[2].input["b"] == 2);
}
