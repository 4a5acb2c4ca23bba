"""Finding what was published: by words, by topic, right, audience, kind and year, and what goes with it.

Responsible for search (`searching` over `documents`, asked by `question`, ranked by `ranking`, shown by `excerpts`),
for topics and rights (`subjects`), what to read next (`related`) and the directory of service guides (`directory`).
May import the pieces (`content.listing`, `content.models`) and `core`; nothing that writes.

Why so: what is searched is held in memory, as folded text, and looked through with `in`. A revision never changes,
so a text that was read once is right for ever; which revisions are on the site is asked of the database with every
question. So nothing is kept beside the pieces that could go stale: what is withdrawn is gone in the very transaction
of the withdrawal, in every process, on SQLite and PostgreSQL alike, and one character or a number finds as well as a
word, which no index of either database does for Chinese. 5,000 pieces take some 40 MB and answer in tens of
milliseconds (`bench.finding`); beyond some 20,000 this should become a table of bigrams.
"""
