use std::{fs, io, path::Path};

use serde::Serialize;

use crate::bm25::Index;

/// The sections of the Markdown files in a folder, ready to be searched.
pub(crate) struct HelpCenter {
    sections: Vec<Section>,
    index: Index,
}

struct Section {
    /// `Refunds: Partial refunds`.
    title: String,
    text: String,
}

/// A section that a search found.
#[derive(Debug, Serialize)]
pub(crate) struct Passage {
    pub(crate) title: String,
    pub(crate) text: String,
    score: f64,
}

impl HelpCenter {
    /// Reads and indexes every `.md` file of the folder.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let mut paths = fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .filter(|path| !path.as_ref().is_ok_and(|path| path.extension().is_none_or(|end| end != "md")))
            .collect::<io::Result<Vec<_>>>()?;
        paths.sort();

        let mut sections = Vec::new();
        for path in paths {
            sections.extend(split(&fs::read_to_string(path)?));
        }
        let index = Index::new(sections.iter().map(|section| format!("{} {}", section.title, section.text)));
        Ok(Self { sections, index })
    }

    /// The sections that fit the question best, best first. Fewer than `limit` where fewer fit at all.
    #[staso::trace(kind = "retriever")]
    pub(crate) fn search_docs(&self, question: &str, limit: usize) -> Vec<Passage> {
        let hits = self.index.search(question);
        staso::current_span().set_metadata("sections_searched", &self.sections.len());
        hits.into_iter()
            .take(limit)
            .filter_map(|hit| {
                let Section { title, text } = self.sections.get(hit.document)?;
                Some(Passage { title: title.clone(), text: text.clone(), score: hit.score })
            })
            .collect()
    }
}

/// A section for each heading of a file that has text below it.
fn split(markdown: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut article = "";
    for line in markdown.lines() {
        if let Some(heading) = line.strip_prefix("# ") {
            article = heading;
            sections.push(Section { title: heading.to_owned(), text: String::new() });
        } else if let Some(heading) = line.strip_prefix("## ") {
            sections.push(Section { title: format!("{article}: {heading}"), text: String::new() });
        } else if let (Some(section), false) = (sections.last_mut(), line.is_empty()) {
            if !section.text.is_empty() {
                section.text.push(' ');
            }
            section.text.push_str(line);
        }
    }
    sections.retain(|section| !section.text.is_empty());
    sections
}
