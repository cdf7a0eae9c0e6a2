use super::{number::Dimension, varint};

/// Values of a trace, in the order in which lists show those of one dimension.
pub(super) fn encode(values: &[(Dimension, i64)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() * 4);
    for (dimension, value) in values {
        bytes.push(*dimension as u8);
        varint::push(&mut bytes, value.cast_unsigned());
    }
    bytes
}

/// Reads what [`encode`] wrote. What is damaged is left out.
pub(super) fn decode(mut bytes: &[u8]) -> impl Iterator<Item = (Dimension, i64)> {
    std::iter::from_fn(move || {
        let (&number, rest) = bytes.split_first()?;
        bytes = rest;
        let dimension = Dimension::ALL.into_iter().find(|dimension| *dimension as u8 == number)?;
        Some((dimension, varint::take(&mut bytes)?.cast_signed()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_back_in_order() {
        let values = [(Dimension::Agent, 300), (Dimension::Agent, 7), (Dimension::Status, 0)];
        assert_eq!(decode(&encode(&values)).collect::<Vec<_>>(), values);
    }
}
