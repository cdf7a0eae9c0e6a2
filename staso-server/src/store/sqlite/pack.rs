use rusqlite::types::{Value, ValueRef};
use uuid::Uuid;

/// An identifier in as few bytes as it takes: 16 for a lower-case UUID, its last 8 where the others are zero,
/// else its text.
pub(super) fn pack_id(id: &str) -> Value {
    let uuid = Uuid::try_parse(id).ok().filter(|uuid| {
        let mut buffer = Uuid::encode_buffer();
        *uuid.hyphenated().encode_lower(&mut buffer) == *id
    });
    match uuid.map(Uuid::into_bytes) {
        Some([0, 0, 0, 0, 0, 0, 0, 0, last @ ..]) => Value::Blob(last.to_vec()),
        Some(bytes) => Value::Blob(bytes.to_vec()),
        None => Value::Text(id.to_owned()),
    }
}

/// The text of a packed identifier.
pub(super) fn unpack_id(packed: ValueRef<'_>) -> String {
    let bytes = match packed {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    };
    let mut uuid = [0; 16];
    match (packed, bytes.len()) {
        (ValueRef::Blob(_), 8) => uuid[8..].copy_from_slice(bytes),
        (ValueRef::Blob(_), 16) => uuid.copy_from_slice(bytes),
        _ => return String::from_utf8_lossy(bytes).into_owned(),
    }
    Uuid::from_bytes(uuid).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(id: &str, length: Option<usize>) {
        let packed = pack_id(id);
        let blob = if let Value::Blob(bytes) = &packed { Some(bytes.len()) } else { None };
        assert_eq!((unpack_id((&packed).into()).as_str(), blob), (id, length));
    }

    #[test]
    fn only_what_is_read_back_exactly_becomes_bytes() {
        check("0cf2c2fe-e545-5eaa-b378-d7b106699088", Some(16));
        check("00000000-0000-0000-0123-456789abcdef", Some(8));
        check("0CF2C2FE-E545-5EAA-B378-D7B106699088", None);
        check("0cf2c2fee5455eaab378d7b106699088", None);
        check("{0cf2c2fe-e545-5eaa-b378-d7b106699088}", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn any_identifier_is_read_back(id in ".*|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}") {
            prop_assert_eq!(unpack_id((&pack_id(&id)).into()), id);
        }
    }
}
