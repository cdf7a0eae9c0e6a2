use std::collections::HashMap;

/// Ranks documents by how well their words fit a query: Okapi BM25.
pub(crate) struct Index {
    /// How often each word occurs, for each document.
    documents: Vec<HashMap<String, usize>>,
    /// In how many documents each word occurs.
    frequency: HashMap<String, usize>,
    average_length: f64,
}

#[derive(Debug)]
pub(crate) struct Hit {
    /// The place of the document among those that were indexed.
    pub(crate) document: usize,
    pub(crate) score: f64,
}

/// How soon further occurrences of a word stop to count.
const SATURATION: f64 = 1.2;

/// How much long documents are held back: 0 not at all, 1 in proportion to their length.
const LENGTH_PENALTY: f64 = 0.75;

impl Index {
    pub(crate) fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let mut documents = Vec::new();
        let mut frequency = HashMap::new();
        let mut length = 0;
        for text in texts {
            let mut counts = HashMap::new();
            for word in words(&text) {
                length += 1;
                *counts.entry(word).or_insert(0) += 1;
            }
            for word in counts.keys() {
                *frequency.entry(word.clone()).or_insert(0) += 1;
            }
            documents.push(counts);
        }
        let average_length = f64::from(length) / documents.len().max(1) as f64;
        Self { documents, frequency, average_length }
    }

    /// The documents that have a word of the query, best first.
    pub(crate) fn search(&self, query: &str) -> Vec<Hit> {
        let query: Vec<String> = words(query).collect();
        let mut hits: Vec<Hit> = self
            .documents
            .iter()
            .enumerate()
            .map(|(document, counts)| Hit { document, score: self.score(counts, &query) })
            .filter(|hit| hit.score > 0.0)
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits
    }

    fn score(&self, counts: &HashMap<String, usize>, query: &[String]) -> f64 {
        let length = counts.values().sum::<usize>() as f64 / self.average_length;
        let of_word = |word: &String| {
            let count = *counts.get(word)? as f64;
            let having = *self.frequency.get(word)? as f64;
            let rarity = (1.0 + (self.documents.len() as f64 - having + 0.5) / (having + 0.5)).ln();
            let held_back = SATURATION * (1.0 - LENGTH_PENALTY + LENGTH_PENALTY * length);
            Some(rarity * count * (SATURATION + 1.0) / (count + held_back))
        };
        query.iter().filter_map(of_word).sum()
    }
}

/// The words of a text that carry meaning, in lower case and without a plural's `s`.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.len() > 2 && !STOP_WORDS.contains(&word.as_str()))
        .map(|word| word.strip_suffix('s').map_or(word.clone(), str::to_owned))
}

const STOP_WORDS: [&str; 24] = [
    "and", "any", "are", "ask", "can", "does", "for", "has", "have", "how", "many", "not", "our", "please",
    "that", "the", "then", "until", "was", "well", "where", "which", "with", "you",
];
