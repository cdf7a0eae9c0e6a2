use std::{any::type_name, borrow::Cow};

use super::{super::limits::Limits, write_display};

/// Writes the name of a type as a JSON string: `"<Mutex<u8>>"`.
pub(crate) fn write_type_name<T: ?Sized>(limits: &Limits, out: &mut Vec<u8>) {
    write_display(&format_args!("<{}>", short_type_name(type_name::<T>())), limits, out);
}

/// The name of a type without the modules it and its arguments are in: `Box<dyn Error>`.
pub(crate) fn short_type_name(full: &str) -> Cow<'_, str> {
    if !full.contains("::") {
        return Cow::Borrowed(full);
    }
    let mut short = String::with_capacity(full.len());
    // Where the path that is being read begins in `short`.
    let mut path = 0;
    let mut rest = full;
    while let Some(next) = rest.chars().next() {
        // Behind a `>` stands an associated item, not an item of a module.
        if let Some(item) = rest.strip_prefix("::").filter(|_| short.len() > path) {
            short.truncate(path);
            rest = item;
            continue;
        }
        short.push(next);
        if !(next.is_alphanumeric() || matches!(next, '_' | '{' | '}' | '#' | ':')) {
            path = short.len();
        }
        rest = rest.split_at(next.len_utf8()).1;
    }
    Cow::Owned(short)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, error::Error, sync::Mutex};

    use super::*;

    #[test]
    fn modules_are_left_out_wherever_they_stand() {
        fn check<T: ?Sized>(expected: &str) {
            assert_eq!(short_type_name(type_name::<T>()), expected);
        }
        check::<u8>("u8");
        check::<Mutex<u8>>("Mutex<u8>");
        check::<Box<dyn Error + Send>>("Box<dyn Error + Send>");
        check::<HashMap<String, Vec<Option<Limits>>>>("HashMap<String, Vec<Option<Limits>>>");
        check::<(&Limits, [String; 2])>("(&Limits, [String; 2])");
        check::<*const Limits>("*const Limits");
    }

    #[test]
    fn associated_items_and_closures_keep_what_tells_them_apart() {
        assert_eq!(short_type_name("<a::B as c::D>::E"), "<B as D>::E");
        assert_eq!(short_type_name("a::main::{{closure}}"), "{{closure}}");
        assert_eq!(short_type_name("::"), "::");
    }

    #[test]
    fn a_type_name_is_a_json_string() {
        let mut out = Vec::new();
        write_type_name::<Mutex<u8>>(&Limits::default(), &mut out);
        assert_eq!(out, b"\"<Mutex<u8>>\"");
    }
}
