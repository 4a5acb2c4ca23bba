"""What a picture's file tells beside the picture: a place, somebody's name, what made it.

Responsible for reading the properties that cameras and programs leave in PNG, JPEG, WebP and SVG: EXIF and texts
(`reading`), XMP packets (`xmp`), the older IPTC records (`iptc`), the text chunks of a PNG (`png`). Nothing is
changed here: `raster` draws anew without any of it, `media` keeps no SVG that tells of somebody, `check` says
what was found. May import nothing of the house.

The one flow: bytes → `reading.properties` → `Properties` (person, place, made); what cannot be read tells nothing.
"""
