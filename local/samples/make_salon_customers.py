"""Writes ``salon_customers.csv``: the customers of Juniper & Vale, a salon that does not exist.

Run ``python -m local.samples.make_salon_customers``; the seed is fixed, so the same code writes the same file.

Nobody here is real. Ordinary phone numbers come from ranges that are reserved for fiction (North America: 555-0100 to
555-0199 in every area code; United Kingdom: 07700 900000 to 900999; France: 06 39 98), ordinary mailboxes from the
example domains of RFC 2606. The other addresses are the ones by which the provider twin decides what becomes of a
message; every row of its table is there, and the phone numbers among them mostly belong to customers tagged ``vip``,
because those are the ones whom the demo texts.
"""

import csv
import io
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Final

SEED: Final = 20261122
CUSTOMERS: Final = 2_400
VIPS: Final = 210
SAMPLE_FILE: Final = Path(__file__).with_name("salon_customers.csv")

_TODAY: Final = date(2026, 11, 22)
_OPENED: Final = date(2014, 3, 4)

_EMAIL_OUTCOMES: Final[dict[str, tuple[str, int]]] = {
    "success": ("simulator.amazonses.com", 20),
    "bounce": ("simulator.amazonses.com", 44),
    "complaint": ("simulator.amazonses.com", 6),
    "suppressionlist": ("simulator.amazonses.com", 6),
    "ooto": ("simulator.amazonses.com", 8),
    "mailboxfull": ("twin.example.com", 24),
    "transient": ("twin.example.com", 12),
    "contentrejected": ("twin.example.com", 4),
    "undetermined": ("twin.example.com", 6),
    "latebounce": ("twin.example.com", 8),
    "recovers": ("twin.example.com", 12),
    "reordered": ("twin.example.com", 6),
    "throttled": ("twin.example.com", 10),
}
"""How many customers have a mailbox of each kind, and the domain at which the kind lives."""

_MAGIC_NUMBERS: Final = ("+15005550001", "+15005550009", "+15005550004", "+15005550002", "+15005550003", "+15552050001")
"""One number each, so each belongs to one customer (or to one household)."""

_CODED_NUMBERS_OF_VIPS: Final[dict[str, int]] = {
    "30005": 6,
    "30003": 4,
    "30006": 3,
    "30004": 2,
    "30007": 2,
    "30008": 2,
    "21211": 1,
    "21610": 1,
    "21635": 1,
    "30034": 1,
    "63033": 1,
    "39999": 1,
}
"""Twilio codes with which a text to a VIP comes back undelivered; 39999 is no code of theirs."""

_CODED_NUMBERS_OF_OTHERS: Final[dict[str, int]] = {"30005": 12, "30003": 8, "30006": 6, "30007": 3, "30008": 3}
"""The same for customers whom the demo does not text: material for campaigns of one's own."""

_MOBILE_AREAS: Final = (
    *(415, 628, 510, 341, 650, 408, 669, 925, 707, 831, 916, 530, 209, 559, 805, 213, 310, 323, 424, 562),
    *(626, 714, 818, 858, 619, 949, 206, 503, 702, 602, 212, 646, 917, 718, 312, 773, 512, 617),
)
_LANDLINE_AREAS: Final = (661, 760, 909, 951, 442, 747)

_ZONES: Final = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "Europe/London",
    "Europe/Paris",
)

_TAGS: Final[dict[str, float]] = {
    "colour": 0.34,
    "balayage": 0.16,
    "highlights": 0.14,
    "blow-dry": 0.22,
    "keratin": 0.07,
    "bridal": 0.03,
    "kids-cut": 0.06,
    "men's-cut": 0.15,
    "birthday-club": 0.27,
    "student": 0.09,
    "referral": 0.11,
    "gift-card": 0.08,
    "product-buyer": 0.19,
    "walk-in": 0.06,
}
"""General tags and the share of customers who have each; ``vip``, ``lapsed`` and ``new-client`` are given otherwise."""


@dataclass(frozen=True)
class _Locale:
    """Names of one origin. ``native=latin`` where a name is written in another script than its mailbox."""

    weight: int
    women: str
    men: str
    families: str


_LOCALES: Final = (
    _Locale(
        46,
        "Abigail Alice Amber Amelia Audrey Autumn Beth Brianna Brooke Carol Charlotte Chloe Claire Daisy Dawn "
        "Eleanor Emma Erin Faith Fern Georgia Grace Hannah Harper Hazel Heather Ivy Jade Jenna Joy June Kate Kayla "
        "Laura Lily Lucy Mary-Jane Maya Megan Mia Molly Naomi Nora Olive Paige Pearl Phoebe Rachel Rose Ruby Ruth "
        "Sadie Skye Sophie Tess Violet Willa Wren Zoe Anna-Lee",
        "Adam Alex Ben Blake Caleb Carter Cole Dean Eli Ethan Finn Gavin Grant Henry Ian Isaac Jack Jonah Jude "
        "Kyle Leo Liam Mason Miles Nate Noah Owen Reed Ross Sam Seth Theo Tyler Wade Wyatt",
        "Abbott Ashby Barlow Bennett Birch Bishop Blackwood Brooks Burke Calloway Carver Chandler Clayborne Cooper "
        "Crane Dalton Dawson Drake Ellison Fairchild Finch Fletcher Foster Garland Goodwin Hale Harding Hartley "
        "Hawthorne Holloway Hughes Ingram Jennings Keller Kirby Lambert Langley Lowell Marlow Mercer Middleton "
        "Monroe Nash Norwood Osborne Parrish Pemberton Porter Prescott Quill Radcliffe Ramsey Redfern Rhodes "
        "Sawyer Sheffield Sinclair Stanton Sutton Thatcher Thorne Underwood Vance Waverly Wells Whitaker Wilder "
        "Winslow Yates Smith-Barrow Hart-Ellery Lane-Foxley",
    ),
    _Locale(
        14,
        "Alejandra Ana Belén Camila Carmen Catalina Daniela Elena Estefanía Fernanda Gabriela Inés Isabel Itzel "
        "Jimena Lucía Marisol María-José Noemí Paloma Pilar Rocío Sofía Valentina Ximena Yolanda",
        "Alejandro Andrés Ángel César Diego Esteban Fernando Iván Javier Jesús Joaquín Luis Mateo Óscar Raúl Tomás "
        "Víctor",
        "Acosta Aguilar Ávila Beltrán Cárdenas Castañeda Cordero Delgado Domínguez Escobar Fuentes García "
        "Gutiérrez Ibáñez Jiménez Lozano Márquez Medina Muñoz Núñez Ordóñez Peña Quiñones Ríos Rosales Salazar "
        "Sandoval Treviño Vázquez Zúñiga",
    ),
    _Locale(
        6,
        "Aoife Áine Caoimhe Ciara Fionnuala Gráinne Maeve Niamh Orla Róisín Saoirse Siobhán Sinéad",
        "Cian Cillian Conor Daithí Eoin Fergus Oisín Pádraig Rónán Seán",
        "O'Brien O'Connor O'Dowd O'Hara O'Leary O'Malley O'Shea Byrne Doyle Gallagher Keane McBride McNulty "
        "Ní-Bhriain Quinlan",
    ),
    _Locale(
        5,
        "Anaïs Aurélie Béatrice Camille Céline Chloé Élodie Françoise Gaëlle Hélène Inès Léa Maëlys Marie-Claire "
        "Noémie Océane Renée Zoé",
        "Adrien Benoît Étienne François Gaël Jérôme Loïc Mathéo Noël Rémi Théo",
        "Beauchêne Bérenger D'Arcy Delacroix-Morel Desprès Duchâteau Fontaine Géroux L'Hôte Lefèvre Marchand "
        "Noël-Baptiste Péraud Rousselle Saint-Clair Thévenet",
    ),
    _Locale(
        4,
        "Änne Anke Bärbel Heike Jördis Käthe Lieselotte Mareike Sabine Ulrike",
        "Björn Götz Jürgen Jörg Karsten Lothar Sören Uwe",
        "Böhmer Dörfler Fürst Großmann Hübner Jäger Köhler Löwe Müllner Nöth Schäfer Strauß Vögele Weiß",
    ),
    _Locale(
        3,
        "Åsa Astrid Birgit Freya Ingrid Maja Saga Solveig Sølvi Tove",
        "Anders Åke Bjørn Håkan Kåre Lars Øystein Søren Torbjörn",
        "Ångström-Dahl Bjørnstad Ekström Fjellheim Hågensen Kjær Lindqvist Nygård Østergaard Sjöberg Sørensen "
        "Þórsdóttir=Thorsdottir",
    ),
    _Locale(
        4,
        "Agnieszka Bożena Ewa Grażyna Jadwiga Kateřina Małgorzata Šárka Wioletta Zdeňka",
        "Bartłomiej Jiří Łukasz Michał Ondřej Paweł Stanisław Tomáš",
        "Błaszczyk Dąbrowska Dvořáková Gąsior Kořínek Łęcka Majchrzak Nováčková Świątek Szczepańska Wójcik Żuraw",
    ),
    _Locale(
        3,
        "Beatriz Conceição Graça Inês Luísa Mafalda Margarida Teresinha",
        "Gonçalo João Luís Nuno Rúben Simão",
        "Assunção Brandão Couto Falcão Guimarães Leitão Magalhães Patrício Simões Vasconcelos",
    ),
    _Locale(
        4,
        "Bảo-Ngọc=Bao-Ngoc Diễm=Diem Hạnh=Hanh Hương=Huong Lan Mỹ=My Phương=Phuong Thảo=Thao Trúc=Truc",
        "Bình=Binh Đức=Duc Khánh=Khanh Minh Quốc=Quoc Tuấn=Tuan",
        "Bùi=Bui Đặng=Dang Đỗ=Do Hoàng=Hoang Lý=Ly Nguyễn=Nguyen Phạm=Pham Trần=Tran Võ=Vo",
    ),
    _Locale(
        2,
        "Ayşe Çiğdem Elif Gülşen İpek=Ipek Özlem Şule Zeynep",
        "Çağlar Emre Oğuz Ömer Serkan Tuğrul",
        "Akdağ Çelik Demirtaş Erdoğdu Gündüz Kılıç=Kilic Öztürk Yıldız=Yildiz",
    ),
    _Locale(
        2,
        "Анна=Anna Дарья=Darya Катерина=Katerina Ольга=Olga Полина=Polina Юлия=Yulia",
        "Андрей=Andrey Богдан=Bohdan Илья=Ilya Тарас=Taras",
        "Белоус=Belous Волошина=Voloshina Жук=Zhuk Коваленко=Kovalenko Мельник=Melnyk Соколенко=Sokolenko "
        "Шевчук=Shevchuk",
    ),
    _Locale(
        1,
        "Ελένη=Eleni Κατερίνα=Katerina Χρυσούλα=Chrysoula",
        "Γιώργος=Giorgos Νίκος=Nikos",
        "Αλεξίου=Alexiou Μαυρίδη=Mavridi Παπακώστα=Papakosta",
    ),
    _Locale(
        3,
        "佳怡=Jiayi 美玲=Meiling 雅婷=Yating 思涵=Sihan 欣妍=Xinyan",
        "建国=Jianguo 志明=Zhiming 浩然=Haoran",
        "王=Wang 李=Li 陳=Chen 林=Lin 黃=Huang 趙=Zhao 周=Zhou",
    ),
    _Locale(
        2,
        "さくら=Sakura 美咲=Misaki 陽菜=Hina 結衣=Yui",
        "健太=Kenta 大翔=Hiroto 蓮=Ren",
        "佐藤=Sato 鈴木=Suzuki 高橋=Takahashi 渡辺=Watanabe 小林=Kobayashi",
    ),
    _Locale(
        2,
        "서연=Seoyeon 지우=Jiwoo 하은=Haeun 민지=Minji",
        "도윤=Doyun 준호=Junho",
        "김=Kim 이=Lee 박=Park 최=Choi 정=Jung",
    ),
    _Locale(
        2,
        "ليلى=Layla مريم=Maryam نور=Nour فاطمة=Fatima",
        "كريم=Karim يوسف=Youssef",
        "الحسن=Alhassan حداد=Haddad منصور=Mansour خليل=Khalil",
    ),
    _Locale(
        1,
        "נועה=Noa תמר=Tamar שירה=Shira",
        "איתן=Eitan יונתן=Yonatan",
        "לוי=Levi פרץ=Peretz אברמוב=Avramov",
    ),
    _Locale(
        2,
        "अनन्या=Ananya प्रिया=Priya मीरा=Meera Kavya Deepika",
        "अर्जुन=Arjun रोहन=Rohan Vikram",
        "शर्मा=Sharma पटेल=Patel Iyer Chatterjee गुप्ता=Gupta",
    ),
)


@dataclass
class _Customer:
    """One line of the file; the fields up to ``customer_since`` are its columns, in their order."""

    external_id: str
    first_name: str
    last_name: str
    email: str = ""
    mobile_phone: str = ""
    day_phone: str = ""
    night_phone: str = ""
    gender: str = ""
    birthday: str = ""
    time_zone: str = ""
    general_tags: str = ""
    customer_since: str = ""
    latin: tuple[str, str] = ("", "")
    tags: set[str] = field(default_factory=set)


COLUMNS: Final = tuple(each.name for each in fields(_Customer))[:-2]


_PLAIN_LETTERS: Final = str.maketrans(
    {"ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "æ": "ae", "ß": "ss", "ı": "i", "đ": "d", "Đ": "d"}
)
"""Letters that do not come apart into a plain letter and a mark."""


def _ascii(name: str) -> str:
    """A name as people type it into a mailbox: without marks, hyphens and apostrophes."""
    decomposed = unicodedata.normalize("NFKD", name.translate(_PLAIN_LETTERS))
    return "".join(letter for letter in decomposed if letter.isascii() and letter.isalnum()).lower()


def _split(name: str) -> tuple[str, str]:
    """The name as its owner writes it, and in Latin letters."""
    native, _, latin = name.partition("=")
    return native, latin or native


class _Salon:
    """Draws the customers; every choice comes from one seeded generator, in a fixed order."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        mobiles = [f"+1{area}55501{tail:02d}" for area in _MOBILE_AREAS for tail in range(100)]
        landlines = [f"+1{area}55501{tail:02d}" for area in _LANDLINE_AREAS for tail in range(100)]
        abroad = [f"+447700900{tail:03d}" for tail in range(100, 1000, 61)] + [
            f"+33639980{tail}" for tail in range(110, 990, 97)
        ]
        self._random.shuffle(mobiles)
        self._random.shuffle(landlines)
        self._mobiles = iter(mobiles)
        self._landlines = iter(landlines)
        self._abroad = iter(abroad)
        self._abroad_left = len(abroad)
        self._taken: set[str] = set()

    def customers(self) -> list[_Customer]:
        """All of them, oldest customer first."""
        everybody = [self._person(number) for number in range(1, CUSTOMERS + 1)]
        self._households(everybody)
        vips = self._random.sample(everybody, VIPS)
        for customer in vips:
            customer.tags.add("vip")
        self._special_mailboxes(everybody)
        self._special_numbers(everybody, vips)
        self._gaps(everybody)
        for customer in everybody:
            customer.general_tags = ";".join(sorted(customer.tags))
        return everybody

    def _person(self, number: int) -> _Customer:
        draw = self._random
        locale = draw.choices(_LOCALES, [each.weight for each in _LOCALES])[0]
        is_woman = self._chance(0.78)
        first, first_latin = _split(draw.choice((locale.women if is_woman else locale.men).split()))
        last, last_latin = _split(draw.choice(locale.families.split()))
        # The older the number, the older the customer: the salon numbers people as they come.
        since = _OPENED + timedelta(days=int((_TODAY - _OPENED).days * (number - 1) / CUSTOMERS) + draw.randrange(2))
        customer = _Customer(f"JV-{number:05d}", first, last, latin=(_ascii(first_latin), _ascii(last_latin)))
        customer.customer_since = since.isoformat()
        if self._chance(0.9):
            customer.gender = "f" if is_woman else "m"
        if self._chance(0.72):
            customer.birthday = (date(1941, 1, 1) + timedelta(days=draw.randrange(366 * 66))).isoformat()
        if self._chance(0.03):
            customer.time_zone = draw.choice(_ZONES)
        customer.email = self._mailbox(customer)
        customer.mobile_phone = self._mobile()
        if self._chance(0.13):
            customer.day_phone = next(self._landlines)
        if self._chance(0.05):
            customer.night_phone = next(self._landlines)
        customer.tags = self._tags(customer, since)
        return customer

    def _mailbox(self, customer: _Customer) -> str:
        draw = self._random
        first, last = customer.latin
        year = customer.birthday[2:4] or f"{draw.randrange(100):02d}"
        while True:
            short = f"{first[0]}{last}{year}", f"{first}{last[0]}{year}"
            local = draw.choice([f"{first}.{last}", f"{first}.{last}", f"{first}_{last}", *short, f"{last}.{first}"])
            domain = draw.choices(["example.com", "example.net", "example.org"], [6, 3, 2])[0]
            address = f"{local}@{domain}"
            if address in self._taken:
                address = f"{local}{draw.randrange(2, 100)}@{domain}"
            if address not in self._taken:
                self._taken.add(address)
                return address

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _mobile(self) -> str:
        if self._abroad_left and self._chance(0.015):
            self._abroad_left -= 1
            return next(self._abroad)
        number = next(self._mobiles)
        # Every tenth is typed the way people say it, without a country code: it is read in the business's country.
        if self._chance(0.06):
            return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
        if self._chance(0.04):
            return f"{number[2:5]}-{number[5:8]}-{number[8:]}"
        return number

    def _tags(self, customer: _Customer, since: date) -> set[str]:
        tags = {tag for tag, share in _TAGS.items() if self._chance(share)}
        if not customer.birthday:
            tags.discard("birthday-club")
        if customer.birthday and customer.birthday < "1999":
            tags.discard("student")
        if customer.gender == "f":
            tags.discard("men's-cut")
        if since > _TODAY - timedelta(days=120):
            tags.add("new-client")
        elif self._chance(0.17):
            tags.add("lapsed")
        return tags

    def _households(self, everybody: list[_Customer]) -> None:
        """Couples and families: one phone, or one mailbox, for two or three of them."""
        draw = self._random
        free = draw.sample(everybody, 160)
        for _ in range(26):
            one, other = free.pop(), free.pop()
            other.last_name, other.latin = one.last_name, (other.latin[0], one.latin[1])
            other.mobile_phone = one.mobile_phone
            other.email = self._mailbox(other)
        for _ in range(22):
            one, other = free.pop(), free.pop()
            other.last_name = one.last_name
            one.email = other.email = f"the.{one.latin[1]}.family{one.external_id[-3:]}@example.com"
        for _ in range(6):
            parent, *children = free.pop(), free.pop(), free.pop()
            for child in children:
                child.last_name = parent.last_name
                child.email, child.mobile_phone = parent.email, parent.mobile_phone
                child.birthday = (date(2012, 1, 1) + timedelta(days=draw.randrange(365 * 9))).isoformat()
                child.tags = (child.tags - {"bridal", "men's-cut", "keratin"}) | {"kids-cut"}

    def _alone(self, everybody: list[_Customer]) -> Iterator[_Customer]:
        """Customers who share nothing with anybody, in a drawn order."""
        mailboxes = [customer.email for customer in everybody]
        numbers = [customer.mobile_phone for customer in everybody]
        shared = {value for values in (mailboxes, numbers) for value in values if values.count(value) > 1}
        alone = [customer for customer in everybody if not {customer.email, customer.mobile_phone} & shared]
        return iter(self._random.sample(alone, len(alone)))

    def _special_mailboxes(self, everybody: list[_Customer]) -> None:
        people = self._alone(everybody)
        for kind, (domain, count) in _EMAIL_OUTCOMES.items():
            for _ in range(count):
                customer = next(people)
                label = f"{customer.latin[0]}.{customer.latin[1]}.{int(customer.external_id[3:])}"
                customer.email = f"{kind}+{label}@{domain}"
        # A mailbox that is gone, for two: both of them are out of reach.
        one, other = next(people), next(people)
        other.last_name = one.last_name
        one.email = other.email = f"bounce+the.{one.latin[1]}.{int(one.external_id[3:])}@simulator.amazonses.com"
        for customer in everybody:
            if "+" in customer.email:
                # Some of these remember how many emails they got: none comes on a day that nobody chose.
                customer.birthday = ""
                customer.tags.discard("birthday-club")

    def _special_numbers(self, everybody: list[_Customer], vips: list[_Customer]) -> None:
        people = self._alone(everybody)
        waiting = list(people)
        special_vips = [customer for customer in waiting if "vip" in customer.tags]
        others = [customer for customer in waiting if "vip" not in customer.tags]
        for number in _MAGIC_NUMBERS:
            special_vips.pop().mobile_phone = number
        # The household of the landline: one VIP, one not, both with the number that cannot be texted.
        landline = next(customer for customer in vips if customer.mobile_phone == _MAGIC_NUMBERS[1])
        partner = others.pop()
        partner.last_name, partner.mobile_phone = landline.last_name, landline.mobile_phone
        for customers, coded, first_tail in (
            (special_vips, _CODED_NUMBERS_OF_VIPS, 11),
            (others, _CODED_NUMBERS_OF_OTHERS, 51),
        ):
            for code, count in coded.items():
                for tail in range(first_tail, first_tail + count):
                    customers.pop().mobile_phone = f"+1555{code}{tail}"

    def _gaps(self, everybody: list[_Customer]) -> None:
        """People who never gave a mailbox, or a mobile number, or either."""
        draw = self._random
        ordinary = [
            customer
            for customer in everybody
            if customer.email.rpartition("@")[2] in {"example.com", "example.net", "example.org"}
            and not customer.mobile_phone.startswith(("+1555", "+1500"))
        ]
        for customer in draw.sample(ordinary, 118):
            customer.email = ""
        for customer in draw.sample(ordinary, 166):
            customer.mobile_phone = ""


def sample_text(seed: int = SEED) -> str:
    """The whole file as text, the heading line first, lines ending in a line feed."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(vars(customer) for customer in _Salon(seed).customers())
    return out.getvalue()


if __name__ == "__main__":
    SAMPLE_FILE.write_text(sample_text(), encoding="utf-8", newline="")
