"""Contact files of a million rows: read, sealed and checked in the background, then applied whole.

Responsible for imports that outlive a request, and their history. May import campaign's audience. The one flow: a
file is saved under home → `reading` has every row checked and the good ones put, sealed, into pages by the hash of their
person (`sorting`, `staged`), and the upload is deleted → a person decides, where rows are bad or a preview was asked
for → `applying` writes page after page (`pages`) in short transactions, and makes the list complete in the last one.

Of a large file a process beside this one (`core.beside`) sorts half of the rows, and then makes the pages ready, hashed
and sealed, while this one writes. It knows no database, and writes nothing but its own files of pages.

Why pages and not one statement: a million contacts take half a minute of an engine that has one writer, and
everybody else would wait. Each page's transaction moves the mark `applied` on with its rows, so a kill repeats nothing
and leaves nothing out: whoever looks next goes on at the mark. What was checked cannot fail any more, so an import
that has begun to write ends; the list shows its people when all of them are there. Rows of a page are in the order of
the index, and so are the pages: a page of the database is written once instead of a thousand times.
"""
