"""Picture strips: scenes that an editor puts together in the front matter from drawn parts, without drawing.

The parts are data (`data/*.yaml`): people, poses, faces, places, things. `parts` reads them, `schema` is the field
`strip` and its faults, `figure` draws a person in any pose with any face, `bubbles` breaks and places what is said,
`scene` puts a panel together, `telling` says the same in words for who listens, `drawing` makes the pictures
`strip/1`, `strip/2` … of a text, which its body and its cover name like any other picture.
"""
