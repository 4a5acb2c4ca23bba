"""A long graphic of twelve panels as pictures, and stamped for many outlets: `python -m bench.poster`.

Cold: no browser runs yet. Warm: the same is drawn anew in the browser that was kept; nothing is taken from what is kept.
"""

import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from content import media, reading
from content.poster import document, drawing, stream
from content.poster.document import Look
from content.poster.folder import Writer, load
from content.poster.stamping import Stamp
from content.reading import ReadingPage
from core.settings import Settings
from tracking.press import Press

PANELS, WARM, POSTERS = 12, 5, 200
_PIECES = Path(__file__).resolve().parents[1] / "webapp" / "starter" / "pieces"
_TONES = ("plain", "soft", "plain", "sun", "plain", "brand")
_INSIDE = (
    "//// figure | 20%\n    unit: 起的“代理费”\n    source: 金融监管总局风险提示\n\n还要身份证、银行卡和保单原件。\n////",
    "//// talk\n\n- 对方：我们能帮你全额退，不成功不收费。\n- 我：你们是保险公司，还是监管部门？\n- 对方：先把身份证拍给我。\n- 我：那我自己打客服电话问。\n////",
    "///// compare\n\n//// no | 找“代理”\n先交钱交证件，信息可能被转卖。\n////\n\n//// yes | 走正规渠道\n不收费，有回执、有期限。\n////\n/////",
    "//// steps\n\n1. **先问公司** 打保单上的客服电话。\n2. **不满意就投诉** 公司应在 15 日内答复。\n3. **还可以申请调解** 不收费。\n////",
    "//// picture | media/full-surrender-counter.svg\n    alt: 柜面\n////",
    "//// timeline\n\n- **第一天** 有人来电。\n- **第三天** 交了钱。\n- **第七天** 电话打不通。\n////",
)


def main() -> None:
    """Draw, draw again, stamp."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, home=Path(folder))
        press, page = Press(), _page(settings)
        cold = _drawn(press, page, settings)
        warm = [_drawn(press, replace(page, title=f"{page.title}{turn}"), settings) for turn in range(WARM)]
        begun = time.perf_counter()
        size = _all(press, page, settings)
        whole = time.perf_counter() - begun
        press.close()
        seconds, bytes_each = _stamped(settings)
    rate = POSTERS / seconds
    print(f"{PANELS} panels, 1080 × {size[1]:,} pixels")
    print(f"{'cold: browser, page, PNG':36}{cold:8.2f} s")
    print(f"{'warm: page, PNG (middle of ' + str(WARM) + ')':36}{statistics.median(warm):8.2f} s")
    print(f"{'warm: with slices, covers, A3 size':36}{whole:8.2f} s")
    print(f"{'stamped on one core':36}{rate:8.1f} a second, {bytes_each / 1024:,.0f} kB each")
    result = {
        "posters_per_s": round(rate, 1),
        "cold_s": round(cold, 2),
        "warm_s": round(statistics.median(warm), 2),
    }
    print("RESULT", json.dumps(result))


def _page(settings: Settings) -> ReadingPage:
    names = ("full-surrender-cover", "full-surrender-counter")
    pictures = {
        f"media/{name}.svg": media.store(
            settings.files_dir, f"media/{name}.svg", (_PIECES / "media" / f"{name}.svg").read_bytes()
        )
        for name in names
    }
    panels = "\n\n".join(
        f"/// panel | 第 {number + 1} 件要记住的事\n    tone: {_TONES[number % len(_TONES)]}\n\n{_INSIDE[number % len(_INSIDE)]}\n///"
        for number in range(PANELS)
    )
    meta = {
        "key": "twelve", "kind": "long_graphic", "title": "十二件事", "summary": "有人说能把保费全退回来。先把账算完。",
        "theme": "warning", "cover": "media/full-surrender-cover.svg", "cover_alt": "一张保单",
        "ai_generated": {"what": ["pictures"], "tool": "画图工具", "editor": "林编辑"},
    }  # fmt: skip
    known = {name: picture.as_json() for name, picture in pictures.items()}
    return reading.page_of(f"---\nkey: twelve\n---\n{panels}\n", meta, known, hotline=settings.hotline)


def _drawn(press: Press, page: ReadingPage, settings: Settings) -> float:
    """Seconds from nothing to the tall PNG as bytes."""
    begun = time.perf_counter()
    html = document.sheet(page, Look(document.house(settings)), settings.files_dir)
    with press.printer() as printer:
        drawn = drawing.sheet(printer, html)
    stream.finish(drawn.upper, drawn.strip)
    return time.perf_counter() - begun


def _all(press: Press, page: ReadingPage, settings: Settings) -> tuple[int, int]:
    """Everything that is kept of a revision."""
    look, files = Look(document.house(settings)), settings.files_dir
    writer = Writer(settings.home / "posters", "twelve", None)
    with press.printer() as printer:
        drawn = drawing.sheet(printer, document.sheet(page, look, files))
        covers = drawing.covers(printer, document.covers(page, look, files))
        setting = drawing.fit(printer, document.a3(page, look, files))
    writer.sheet(drawn)
    writer.slices(drawn)
    writer.covers(covers)
    writer.done(setting)
    return drawn.picture.width, drawn.height + drawn.strip.height


def _stamped(settings: Settings) -> tuple[float, float]:
    """Seconds for POSTERS whole PNGs written to disk, and how large one is."""
    kept = load(settings.home / "posters", "twelve")
    assert kept is not None
    stamper, target, total = kept.stamper(), settings.home / "one.png", 0
    begun = time.perf_counter()
    for number in range(POSTERS):
        stamp = Stamp(
            f"https://edu.example.cn/s/abcd{number + 2345}",
            f"西湖文三路第{number}柜面",
            "消费者权益保护教育宣传基地",
        )
        target.write_bytes(data := stamper.tall(stamp))
        total += len(data)
    return time.perf_counter() - begun, total / POSTERS


if __name__ == "__main__":
    main()
