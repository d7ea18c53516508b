"""Words that profiles are made of: several scripts and emoji, as real display names hold."""

from __future__ import annotations

GIVEN_NAMES = (
    "Aoi", "Ren", "ゆい", "陽菜", "蓮", "さくら", "Haruto", "美咲", "Somchai", "สมหญิง", "ณัฐ", "佳穎", "Wei", "志明",
    "Hana🌸", "そら☀️", "Mio", "ユウト", "Dewi", "Putri", "Nok 🐦", "Anna", "José", "李", "あかり", "Kenji",
)  # fmt: skip
FAMILY_NAMES = (
    "Sato", "鈴木", "高橋", "Tanaka", "伊藤", "渡辺", "Yamamoto", "中村", "小林", "陳", "林", "Huang", "Saetang",
    "ศรีสุข", "Wijaya", "Müller", "O'Brien", "🐻", "加藤", "吉田",
)  # fmt: skip
LANGUAGES = ("ja", "ja", "ja", "ja", "ja", "zh-Hant", "th", "en", "id", "ko")
STATUS_MESSAGES = (
    "Hello, LINE!", "今日もがんばる", "仕事中…", "🏃‍♀️💨", "Currently travelling ✈️", "Don't disturb, please \"sleeping\"",
    "ขอบคุณค่ะ", "慢慢來", "\\o/", "のんびり",
)  # fmt: skip
