"""The words of service guides: ways to reach the institution, what people want, what suits whom, what is needed.

Front matter names them by key; pages say them in the language in force.
"""

from core.i18n import mark

# How the institution is reached, in the order of the directory: a person first.
WAYS = {
    "phone": mark("打电话"),
    "counter": mark("到柜面"),
    "visit": mark("请人上门"),
    "video": mark("空中客服"),
    "app": mark("手机应用"),
    "butler": mark("保全管家"),
    "machine": mark("自助机"),
}
WAY_LINES = {
    "phone": mark("拨通就说“人工”，一个人听您说完。"),
    "counter": mark("面对面，有人陪着，当场问清楚。"),
    "visit": mark("走不动、离不开家，约好了我们来。"),
    "video": mark("打开视频，柜员就在对面。"),
    "app": mark("自己在手机上查、改、申请。"),
    "butler": mark("一位固定的人，帮您看着保单。"),
    "machine": mark("网点大厅里，不用排队的小事自己办。"),
}
# What somebody wants to do.
TASKS = {
    "ask": mark("问一件事"),
    "look": mark("查保单"),
    "change": mark("改资料、补保单"),
    "pay": mark("交费、领钱"),
    "claim": mark("办理赔"),
    "leave": mark("想退保，先算清"),
    "complain": mark("投诉、提意见"),
    "verify": mark("核实真假"),
}
# In which circumstances a way suits: where one is, and what one finds hard.
SUITS = {
    "home": mark("不出门"),
    "call": mark("只打电话"),
    "come": mark("想有人来"),
    "face": mark("想当面办"),
    "elder": mark("我是长辈"),
    "hearing": mark("听不清、不便说话"),
    "sight": mark("看不清"),
    "moving": mark("走动不便"),
}
NEEDS = {
    "identity": mark("身份证"),
    "policy": mark("保单或保单号"),
    "card": mark("本人银行卡"),
    "phone": mark("手机"),
    "network": mark("网络"),
    "booking": mark("要预约"),
    "oneself": mark("要本人"),
}
