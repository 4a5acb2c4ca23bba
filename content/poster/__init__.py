"""A long graphic as pictures: one tall PNG, slices of it, cover cards and an A3 poster, stamped for whoever shares it.

Responsible for drawing a revision once (`document` → `drawing`: Chromium, from text, offline), for what is kept of it
(`folder`), for making it in the background (`making`), and for the stamp (`stamping`: a QR code and a name put into the
last strip of a stream that is otherwise used as it is, so that thousands cost milliseconds each). `picture_desk` shows it.
May import content's own rendering, media and labels, tracking's links and press, nothing above; who orders posters for all
outlets is campaign. The one flow: document → drawing → folder → stamping, each picture with the label of what a machine
made, to be seen and in its metadata.
"""
