//! Countries, for the rules of Wi-Fi.

use super::Checked;

/// ISO 3166-1 alpha-2, as the kernel's regulatory database names countries.
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ \
    EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW \
    GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY \
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV \
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY \
    QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG \
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM \
    ZW";

/// The country whose rules the Wi-Fi keeps, in either case; the result is upper case.
pub(crate) fn country(text: &str) -> Checked {
    let upper = text.to_ascii_uppercase();
    if upper.len() == 2 && COUNTRIES.split(' ').any(|known| known == upper) {
        return Ok(upper);
    }
    if upper == "UK" {
        return Err("the United Kingdom is GB".into());
    }
    Err("a country is two letters, such as DE, GB or US (ISO 3166)".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_two_letters_of_the_list() {
        assert_eq!(COUNTRIES.split(' ').count(), 249);
        assert_eq!(country("de").as_deref(), Ok("DE"));
        assert!(country("UK").unwrap_err().contains("GB"));
        for wrong in ["", "D", "Germany", "XX", "D "] {
            assert!(country(wrong).is_err(), "{wrong}");
        }
    }
}
