"""Templates that print the names of ships, countries, people and elements."""

from __future__ import annotations

from transferset.text.call import Call
from transferset.text.scripts import raised

_ELEMENTS = """
H hydrogen He helium Li lithium Be beryllium B boron C carbon N nitrogen O oxygen F fluorine Ne
neon Na sodium Mg magnesium Al aluminium Si silicon P phosphorus S sulfur Cl chlorine Ar argon K
potassium Ca calcium Sc scandium Ti titanium V vanadium Cr chromium Mn manganese Fe iron Co cobalt
Ni nickel Cu copper Zn zinc Ga gallium Ge germanium As arsenic Se selenium Br bromine Kr krypton Rb
rubidium Sr strontium Y yttrium Zr zirconium Nb niobium Mo molybdenum Tc technetium Ru ruthenium Rh
rhodium Pd palladium Ag silver Cd cadmium In indium Sn tin Sb antimony Te tellurium I iodine Xe
xenon Cs caesium Ba barium La lanthanum Ce cerium Pr praseodymium Nd neodymium Pm promethium Sm
samarium Eu europium Gd gadolinium Tb terbium Dy dysprosium Ho holmium Er erbium Tm thulium Yb
ytterbium Lu lutetium Hf hafnium Ta tantalum W tungsten Re rhenium Os osmium Ir iridium Pt platinum
Au gold Hg mercury Tl thallium Pb lead Bi bismuth Po polonium At astatine Rn radon Fr francium Ra
radium Ac actinium Th thorium Pa protactinium U uranium Np neptunium Pu plutonium Am americium Cm
curium Bk berkelium Cf californium Es einsteinium Fm fermium
"""
_WORDS = _ELEMENTS.split()
#: Symbols of the elements by name; {{carbon}} prints `C`.
SYMBOLS = {
    **dict(zip(_WORDS[1::2], _WORDS[::2], strict=True)),
    "aluminum": "Al",
    "sulphur": "S",
    "cesium": "Cs",
}

_COUNTRIES = """
AFG Afghanistan; ALB Albania; ALG Algeria; AND Andorra; ANG Angola; ARG Argentina; ARM Armenia;
AUS Australia; AUT Austria; AZE Azerbaijan; BAN Bangladesh; BLR Belarus; BEL Belgium; BOL Bolivia;
BRA Brazil; BUL Bulgaria; CAN Canada; CHI Chile; CHN China; COL Colombia; CRO Croatia; CUB Cuba;
CYP Cyprus; CZE Czech Republic; DEN Denmark; DEU Germany; EGY Egypt; ENG England; ESP Spain;
EST Estonia; ETH Ethiopia; EU European Union; FIN Finland; FRA France; GBR United Kingdom;
GEO Georgia; GER Germany; GRE Greece; GRC Greece; HKG Hong Kong; HUN Hungary; INA Indonesia;
IDN Indonesia; IND India; IRE Ireland; IRL Ireland; IRN Iran; IRQ Iraq; ISL Iceland; ISR Israel;
ITA Italy; JAM Jamaica; JPN Japan; KAZ Kazakhstan; KEN Kenya; KOR South Korea; KUW Kuwait;
LAT Latvia; LIB Lebanon; LTU Lithuania; LUX Luxembourg; MAR Morocco; MAS Malaysia; MEX Mexico;
MKD North Macedonia; MLT Malta; MNE Montenegro; NED Netherlands; NLD Netherlands; NGR Nigeria;
NOR Norway; NZL New Zealand; PAK Pakistan; PAN Panama; PER Peru; PHI Philippines; POL Poland;
POR Portugal; PRC People's Republic of China; QAT Qatar; ROM Romania; ROU Romania;
RSA South Africa; RUS Russia; SCO Scotland; SIN Singapore; SLO Slovenia; SRB Serbia;
SUI Switzerland; SVK Slovakia; SWE Sweden; SYR Syria; THA Thailand; TUN Tunisia; TUR Turkey;
UAE United Arab Emirates; UK United Kingdom; UKR Ukraine; URS Soviet Union; URU Uruguay;
US United States; USA United States; UZB Uzbekistan; VEN Venezuela; VIE Vietnam; WAL Wales;
YUG Yugoslavia; ZAF South Africa; ZIM Zimbabwe
"""

#: Country names by the codes that flag templates take.
COUNTRIES: dict[str, str] = {
    code: name
    for code, _, name in (entry.strip().partition(" ") for entry in _COUNTRIES.split(";"))
}

_PREFIXES = """
uss hms hmas hmcs hmnzs ss mv ms usns uscgc rms sms ins hnlms hdms orp usat usav rv mt ps tss usrc
css roks jds js usgc hsc sv rrs hmt hmhs hmqs pns bns ara bap hswms rfa ts gts
"""
#: Ship prefixes that are templates.
PREFIXES = _PREFIXES.split()


def _ship(prefix: str, name: str, number: str, bits: str) -> str:
    """The bits say what is shown: 4 the prefix, 2 the name, 1 the number."""
    shown = int(bits) & 7 if bits.isascii() and bits.isdigit() and len(bits) < 3 else 7
    number = number if not shown & 6 else f"({number})" if number else ""
    parts = (prefix if shown & 4 else "", name if shown & 2 else "", number if shown & 1 else "")
    return " ".join(filter(None, parts))


def ship_of_prefix(call: Call) -> str:
    """{{USS|Hornet|CV-12|6}} → `USS Hornet`."""
    return _ship(call.name.upper(), call.get("1"), call.get("2"), call.get("3"))


def ship(call: Call) -> str:
    """{{ship|HMS|Ajax|22|6}} → `HMS Ajax`."""
    return _ship(call.get("1"), call.get("2"), call.get("3"), call.get("4"))


def ship_class(call: Call) -> str:
    """{{sclass|Nimitz|aircraft carrier}} → `Nimitz-class aircraft carrier`."""
    return f"{call.get('1')}-class {call.get('2')}".rstrip()


def country(call: Call) -> str:
    """{{flag|USA}} → `United States`; {{flag|France}} → `France`."""
    if call.get("name"):
        return call.get("name")
    return COUNTRIES.get(call.get("1"), call.get("1"))


def country_code(call: Call) -> str:
    """{{FRA}} → `France`."""
    return COUNTRIES[call.name.upper()]


def sorted_name(call: Call) -> str:
    """{{sortname|Ada|Lovelace}} → `Ada Lovelace`."""
    return f"{call.get('1')} {call.get('2')}".strip()


def court_report(call: Call) -> str:
    """{{ussc|347|483|1954}} → `347 U.S. 483 (1954)`."""
    year = call.get("3", "year")
    return f"{call.get('1')} U.S. {call.get('2')}" + (f" ({year})" if year.isdigit() else "")


def statute(call: Call) -> str:
    """{{USC|17|107}} → `17 U.S.C. § 107`."""
    return f"{call.get('1')} U.S.C. § {call.get('2')}"


def minor_planet(call: Call) -> str:
    """{{mp|2000 CR|105}} → `2000 CR105`."""
    return "".join(part.strip() for part in call.positional()[:2])


def nuclide(call: Call) -> str:
    """{{nuclide|uranium|235}} → `²³⁵U`."""
    element, mass = call.get("1"), call.get("2")
    symbol = SYMBOLS.get(element.lower(), element)
    return f"{raised(mass) or mass}{symbol}"
