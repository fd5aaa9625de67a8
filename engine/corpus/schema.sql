-- The corpus, one file. Every row that indexing adds hangs on a passage, so that removing a
-- document can subtract exactly what it added.
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE sources (
    name TEXT PRIMARY KEY, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    digest TEXT NOT NULL, documents INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE documents (
    document INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, source TEXT NOT NULL, kind TEXT NOT NULL,
    title TEXT NOT NULL, content TEXT NOT NULL, fingerprint TEXT NOT NULL
);
CREATE INDEX documents_by_source ON documents (source, name);
CREATE TABLE passages (
    passage INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, evidence TEXT NOT NULL,
    document INTEGER NOT NULL, ordinal INTEGER NOT NULL, title TEXT NOT NULL, section TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, unit TEXT NOT NULL, names TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX passages_by_document ON passages (document, ordinal);
-- What analysis found in a passage, as arrays of 32-bit numbers, for the few a question looks at.
-- Where each of its words stands: ``words`` ascend, and word i stands at ``places`` from ``ends`` i-1 to i.
CREATE TABLE features (
    passage INTEGER PRIMARY KEY, id TEXT NOT NULL, family INTEGER NOT NULL, title_tokens BLOB NOT NULL,
    title_marks BLOB NOT NULL, words BLOB NOT NULL, ends BLOB NOT NULL, places BLOB NOT NULL,
    wholes BLOB NOT NULL, marks BLOB NOT NULL, sentences BLOB NOT NULL, mentions BLOB NOT NULL
);
CREATE INDEX features_by_family ON features (family);
-- ``passages`` counts those that hold the word.
CREATE TABLE words (
    word INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, passages INTEGER NOT NULL
);
-- Runs of (passage, in title, in body, title's length, body's length), see engine/corpus/runs.py.
CREATE TABLE postings (
    key INTEGER NOT NULL, first INTEGER NOT NULL, run BLOB NOT NULL, PRIMARY KEY (key, first)
) WITHOUT ROWID;
-- ``passages`` counts those that mention the name, ``homes`` its rows there: most names lead nowhere.
CREATE TABLE names (
    name INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, passages INTEGER NOT NULL, homes INTEGER NOT NULL
);
CREATE TABLE homes (
    name INTEGER NOT NULL, passage INTEGER NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (name, passage, kind)
) WITHOUT ROWID;
CREATE INDEX homes_by_passage ON homes (passage);
-- Runs of passages that mention a name.
CREATE TABLE mentions (
    key INTEGER NOT NULL, first INTEGER NOT NULL, run BLOB NOT NULL, PRIMARY KEY (key, first)
) WITHOUT ROWID;
