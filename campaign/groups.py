"""Groups of people whom education addresses, with the words by which files name them; and languages."""

from core.i18n import mark

GROUPS = {
    "elders": mark("老年人"),
    "new_citizens": mark("新市民"),
    "students": mark("学生"),
    "minors": mark("未成年人的监护人"),
    "farmers": mark("农村居民"),
    "workers": mark("务工人员"),
    "disabled": mark("残障人士"),
    "small_business": mark("小微企业主"),
    "ethnic": mark("少数民族"),
    "foreigners": mark("外籍人士"),
}
LANGUAGES = {"zh": mark("中文"), "en": mark("英文")}
_WORDS = {
    "elders": ("老人", "老年", "elder", "elderly"),
    "new_citizens": ("新市民", "new citizens"),
    "students": ("大学生", "在校学生", "student"),
    "minors": ("监护人", "青少年", "guardians"),
    "farmers": ("农民", "农村", "farmer"),
    "workers": ("农民工", "务工", "worker"),
    "disabled": ("残疾人", "残障", "disability"),
    "small_business": ("小微", "个体工商户", "small business"),
    "ethnic": ("民族", "minority"),
    "foreigners": ("外国人", "外籍", "foreigner"),
}
GROUP_WORDS = {word: name for name, label in GROUPS.items() for word in (name, label, *_WORDS[name])}
LANGUAGE_WORDS = {
    "zh": "zh",
    "中文": "zh",
    "汉语": "zh",
    "chinese": "zh",
    "en": "en",
    "英文": "en",
    "英语": "en",
    "english": "en",
}
