-- The tokens of the texts of each settled trace, separated by spaces: see `text/tokens.rs`. Its rowid is the trace's id
-- and what the texts are: see `text.rs`. A token holds no ASCII but letters and digits, so the tokenizer changes nothing.
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (
    tokens, content = '', contentless_delete = 1, detail = none,
    tokenize = "ascii"
);

-- The words that are among them, each between line ends: what contains a text is looked for here, and then by its words.
CREATE TABLE vocabulary (
    id    INTEGER PRIMARY KEY,
    words BLOB NOT NULL
) STRICT;
