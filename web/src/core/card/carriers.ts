/**
 * Access points of common operators. Made by hand from what the operators publish, and compared
 * with the list of mobile-broadband-provider-info (public domain) where that has them. Operators
 * change theirs; the form's text fields take any other.
 */

export interface Carrier {
  /** Two letters, or `*` for cards that work in many countries. */
  readonly country: string;
  readonly name: string;
  readonly apn: string;
  readonly user: string;
  readonly password: string;
}

/** Country, operator, APN, and user and password where the operator wants them. */
const LINES = `
AT A1|a1.net|ppp@a1plus.at|ppp
AT Drei|drei.at
AT HoT|webaut
AT Magenta|gprsinternet|t-mobile|tm
AT yesss!|web.yesss.at
AU Optus|yesinternet
AU Telstra|telstra.internet
AU Vodafone|live.vodafone.com
BE Base|gprs.base.be|base|base
BE Mobile Vikings|web.be|web|web
BE Proximus|internet.proximus.be
BE Telenet|telenetwap.be
CA Bell|pda.bell.ca
CA Freedom|internet.freedommobile.ca
CA Rogers, Fido|ltemobile.apn
CA Telus|sp.telus.com
CH Salt|internet
CH Sunrise|internet
CH Swisscom|gprs.swisscom.ch
CZ O2|internet
CZ T-Mobile|internet.t-mobile.cz
CZ Vodafone|internet
DE 1&1|internet
DE ALDI TALK, blau|internet.eplus.de
DE Lycamobile|data.lycamobile.de|lmde|plus
DE O2|internet
DE Telekom, congstar|internet.telekom
DE Vodafone|web.vodafone.de
DK 3|data.tre.dk
DK TDC, Telenor|internet
ES Movistar|movistar.es|movistar|movistar
ES Orange|internet|ORANGE|ORANGE
ES Vodafone|ac.vodafone.es|vodafone|vodafone
ES Yoigo|internet
FI DNA, Elisa, Telia|internet
FR Bouygues|mmsbouygtel.com
FR Free|free
FR Orange|orange.fr
FR SFR|sl2sfr
GB 3|three.co.uk
GB EE|everywhere|eesecure|secure
GB giffgaff|giffgaff.com|giffgaff|password
GB O2|mobile.o2.co.uk|o2web|password
GB Vodafone|internet|web|web
IE 3|3ireland.ie
IE Vodafone|live.vodafone.com|vodafone|vodafone
IN Airtel|airtelgprs.com
IN Jio|jionet
IN Vi|www
IT Fastweb|apn.fastweb.it
IT Iliad|iliad
IT TIM|ibox.tim.it
IT Vodafone|mobile.vodafone.it
IT WindTre|internet.it
JP IIJmio|iijmio.jp|mio@iij|iij
JP Mineo (D)|mineo-d.jp|mineo@k-opti.com|mineo
JP Rakuten|rakuten.jp
NL KPN|internet
NL Odido|internet
NL Vodafone|live.vodafone.com|vodafone|vodafone
NO Telenor|telenor.smart
PL Orange|internet|internet|internet
PL Play, Plus, T-Mobile|internet
PT MEO|internet
PT Vodafone|net2.vodafone.pt
SE 3|data.tre.se
SE Comviq|data.comviq.se
SE Tele2|internet.tele2.se
SE Telenor|services.telenor.se
SE Telia|online.telia.se
US AT&T|broadband
US Mint|wholesale
US T-Mobile|fast.t-mobile.com
US Verizon|vzwinternet
* 1NCE|iot.1nce.net
* emnify|em
* Hologram|hologram
* SORACOM|soracom.io|sora|sora
`;

export const CARRIERS: readonly Carrier[] = LINES.trim()
  .split("\n")
  .map((line) => {
    const space = line.indexOf(" ");
    const [name = "", apn = "", user = "", password = ""] = line.slice(space + 1).split("|");
    return { country: line.slice(0, space), name, apn, user, password };
  });
