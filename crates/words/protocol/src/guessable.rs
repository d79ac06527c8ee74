//! Passwords and codes that are tried first.

/// What people take for a password, and what they add to it: the words of the lists of leaked
/// passwords, each without the digits that follow it there.
const COMMON: &str = "\
    password passwort passwd motdepasse contrasena geheim access sesame letmein welcome \
    willkommen secret admin administrator root toor test tester guest user login default \
    changeme change master qwerty qwertz azerty uiop asdf ghjkl zxcv yxcv qazwsx 1q2w3e4r \
    1q2w3e 1qaz2wsx zaq12wsx q1w2e3r4 iloveyou loveyou lovely ichliebedich love liebe schatz \
    hallo hello dragon monkey football fussball baseball basketball soccer hockey raspberry \
    raspberrypi raspbian linux windows computer internet samsung google facebook apple android \
    rccar racecar driver racing abc princess sunshine shadow superman batman spiderman starwars \
    pokemon naruto minecraft trustno whatever freedom forever flower cookie cheese chocolate \
    butterfly summer sommer winter spring autumn herbst januar january monday montag michael \
    jordan charlie daniel thomas andrew jennifer jessica michelle nicole hunter killer ferrari \
    porsche mercedes mustang bmw";
/// Letters and digits that are as good as a short password, when all that is common is taken off.
const LEFT: usize = 6;
/// Of so many letters and digits even common words make something long enough.
const LONG: usize = 20;

/// Whether a password or code is among the first that are tried. `own` are words that count as
/// common here, such as the user's name.
#[must_use]
pub fn is_guessable(text: &str, own: &[&str]) -> bool {
    let plain: Vec<char> = plain(text).collect();
    if is_row(&plain) || is_repeated(&plain) {
        return true;
    }
    let own: Vec<String> = own.iter().map(|word| plain_word(word)).collect();
    let own = own.iter().map(String::as_str).filter(|word| word.chars().count() >= 3);
    let words: Vec<&str> = own.chain(COMMON.split_whitespace()).collect();
    let read = plain_word(text);
    let meant: String = read.chars().map(meant).collect();
    plain.len() < LONG && [read, meant].iter().any(|read| is_made_of(read, &words))
}

fn plain(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase).map(as_sign).filter(|letter| letter.is_alphanumeric())
}

fn plain_word(text: &str) -> String {
    plain(text).collect()
}

/// Signs that stand for a letter.
fn as_sign(sign: char) -> char {
    match sign {
        '@' => 'a',
        '$' => 's',
        sign => sign,
    }
}

/// Digits that stand for a letter.
fn meant(digit: char) -> char {
    match digit {
        '0' => 'o',
        '1' => 'l',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        letter => letter,
    }
}

/// Whether most of it counts up or down, or stays: 12345, abcde, aaaaa.
fn is_row(plain: &[char]) -> bool {
    let steps = |pair: &[char]| match pair {
        [one, next] => u32::from(*one).abs_diff(u32::from(*next)) <= 1,
        _ => false,
    };
    let rows = plain.windows(2).filter(|pair| steps(pair)).count();
    rows * 4 >= plain.len().saturating_sub(1) * 3
}

/// Whether it is a short part again and again: abab, 19841984.
fn is_repeated(plain: &[char]) -> bool {
    (1..=plain.len() / 2).any(|length| {
        plain.get(..length).is_some_and(|part| {
            length <= LEFT && plain.chunks(length).all(|chunk| part.starts_with(chunk))
        })
    })
}

fn is_made_of(text: &str, words: &[&str]) -> bool {
    let mut rest = text.to_owned();
    // The longest first: what is left of a word would hide another.
    let mut words = words.to_vec();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in words {
        rest = rest.replace(word, "");
    }
    rest.len() < text.len() && rest.chars().count() < LEFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_think_of_first_is_guessable() {
        for text in ["", "P@ssw0rd!", "12345678", "abcabcabc", "Summer2024", "rccar-rccar-1"] {
            assert!(is_guessable(text, &[]), "{text}");
        }
        assert!(is_guessable("Grace1906", &["grace"]) && !is_guessable("Hopper1906", &["grace"]));
        for text in ["k7mpq-2xvht", "seven plum tractors", "monkey dragon football summer"] {
            assert!(!is_guessable(text, &["a"]), "{text}");
        }
    }
}
