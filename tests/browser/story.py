# SPDX-License-Identifier: MIT
"""story.py URL MAILS FOLDER - the account pages in Chromium, in TAP.

The whole life of an account on a phone without JavaScript, then what a
script can say about how the pages look and sound, at the width of a phone
and of a desk.  MAILS is where the mails of the account server arrive,
FOLDER gets the pictures and the browser's own files.
"""
import os
import re
import sys
import time
import traceback

from driver import Browser, Driver, PATIENCE_S

URL, MAILS, FOLDER = sys.argv[1:]
PHONE, DESK = (360, 740), (1280, 900)
FIRST, SECOND, THIRD = 'correct horse 1', 'another horse 2', 'the third one 3'
PAGES = ('', 'register', 'activate', 'resend', 'check', 'password',
         'forgotten', 'reset', 'email', 'validate', 'export', 'delete')
count = 0


def check(what, holds, seen=''):
    global count
    count += 1
    print('%s %d - %s' % ('ok' if holds else 'not ok', count, what))
    if not holds:
        print('# ' + str(seen).replace('\n', '\n# '))
    sys.stdout.flush()


def picture(browser, name):
    browser.shot(os.path.join(FOLDER, name + '.png'))


# -- mails ------------------------------------------------------------------

def mail_link(page, name):
    """The link to that page in the last mail to a person that came."""
    pattern = r'https://\S*/%s\?name=%s&code=\S+' % (page, name)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with open(MAILS, encoding='utf-8') as f:
            links = re.findall(pattern, f.read())
        if links:
            return links[-1]
        if time.monotonic() > deadline:
            raise TimeoutError('no mail with a link to ' + page)
        time.sleep(0.05)


# -- one visitor ------------------------------------------------------------

def send(browser, page, **fields):
    """Fills in the form of a page, all but what is there already."""
    if page is not None:
        browser.go(URL + '/' + page)
    for field, value in fields.items():
        if value is True:
            browser.click('#' + field)
        else:
            browser.type('#' + field, value)
    browser.run_click()


def says(browser, what, text):
    browser.until(lambda: text in browser.text('main'))
    seen = browser.text('main')
    check(what, text in seen, seen)


class Visitor(Browser):
    def run_click(self):
        before = self.find('html')
        self.click('form button')
        # the old page is gone when its elements are
        self.until(lambda: self.find('html') != before)


def account_made(b):
    b.go(URL + '/')
    picture(b, 'phone-home')
    b.link('Make an account')
    b.until(lambda: b.count('#again') == 1)
    picture(b, 'phone-register')
    send(b, None, name='Joe', email='joe@example.org', new=FIRST,
         again=SECOND)
    says(b, 'two passwords that differ', 'The two passwords differ')
    picture(b, 'phone-register-fault')
    check('what was typed is there', b.value('#name') == 'Joe' and
          b.value('#email') == 'joe@example.org')
    check('the passwords are not', b.value('#new') == '' and
          b.value('#again') == '')
    check('the field with the fault has the focus', b.focused() == 'again',
          b.focused())
    send(b, None, new=FIRST, again=FIRST)
    says(b, 'an account is made', 'We have mailed you a code')
    picture(b, 'phone-registered')
    check('its name is filled in', b.value('#name') == 'Joe')


def activated(b):
    send(b, 'check', name='joe', password=FIRST)
    says(b, 'not active yet', 'not active yet')
    b.go(mail_link('activate', 'joe'))
    check('the link fills in name and code', b.value('#name') == 'joe' and
          b.value('#code') != '')
    send(b, None, password=SECOND)
    says(b, 'a wrong password activates nothing', 'password is wrong')
    send(b, None, password=FIRST)
    says(b, 'active', 'The account is active')
    picture(b, 'phone-activated')


def checked(b):
    send(b, 'check', name='joe', password=SECOND)
    says(b, 'a wrong password', 'Name or password is wrong')
    picture(b, 'phone-check-fault')
    send(b, None, password=FIRST)
    says(b, 'the right one', 'Name and password are right')


def password_changed(b):
    send(b, 'password', name='joe', password=FIRST, new=SECOND, again=SECOND)
    says(b, 'another password', 'The password is changed')
    send(b, 'check', name='joe', password=FIRST)
    says(b, 'the old one is wrong', 'Name or password is wrong')
    send(b, 'check', name='joe', password=SECOND)
    says(b, 'the new one is right', 'Name and password are right')


def email_changed(b):
    send(b, 'email', name='joe', password=SECOND, email='new@example.org',
         private=True)
    says(b, 'another address', 'mailed a code to the new address')
    b.go(mail_link('validate', 'joe'))
    send(b, None, password=SECOND)
    says(b, 'is confirmed by the link', 'is confirmed')


def password_forgotten(b):
    send(b, 'forgotten', name='joe', email='new@example.org')
    says(b, 'a forgotten password', 'If there is an account')
    b.go(mail_link('reset', 'joe'))
    send(b, None, new=THIRD, again=THIRD)
    says(b, 'is set anew', 'The new password is set')
    send(b, 'check', name='joe', password=THIRD)
    says(b, 'and right', 'Name and password are right')
    b.go(mail_link('reset', 'joe'))
    send(b, None, new=FIRST, again=FIRST)
    says(b, 'the link is good once', 'was used already')


def deleted(b):
    send(b, 'delete', name='joe', password=THIRD)
    says(b, 'deleting asks', 'Tick this')
    picture(b, 'phone-delete-fault')
    send(b, None, password=THIRD, sure=True)
    says(b, 'deleted', 'The account is deleted')
    send(b, 'check', name='joe', password=THIRD)
    says(b, 'nobody is there any more', 'Name or password is wrong')


def cookie_kept(b):
    b.go(URL + '/check')
    cookies = b.cookies()
    check('one cookie, for this host, HTTPS and no scripts',
          [(c['name'], c['secure'], c['httpOnly'], c.get('sameSite'))
           for c in cookies] == [('__Host-metacube', True, True, 'Strict')],
          cookies)


def keyboard_only(b):
    """Tab goes through the page in its order, and Enter sends the form."""
    b.go(URL + '/check')
    order = []
    for _ in range(5):
        b.keys('\ue004')
        order.append(b.focused())
    check('the focus goes in the order of the page',
          order == ['a', 'name', 'password', 'button', 'a'], order)
    b.click('#name')
    before = b.find('html')
    b.keys('joe\ue004wrong password\ue007')
    b.until(lambda: b.find('html') != before)
    says(b, 'Enter sends the form', 'Name or password is wrong')


# -- how it looks and sounds --------------------------------------------------

# What is wrong with the page, as a list of sentences.
AUDIT = r'''
const faults = [];
const say = (what, e) => faults.push(what + ': ' + e.outerHTML.slice(0, 120));
const all = s => [...document.querySelectorAll(s)];
if (!document.documentElement.lang) faults.push('no lang');
if (!document.title.trim()) faults.push('no title');
if (all('h1').length !== 1) faults.push('not one h1');
if (all('main').length !== 1) faults.push('not one main');
let level = 0;
for (const h of all('h1,h2,h3,h4,h5,h6')) {
	const own = +h.tagName[1];
	if (own > level + 1) say('a level is skipped', h);
	level = own;
}
const ids = all('[id]').map(e => e.id);
if (new Set(ids).size !== ids.length) faults.push('an id twice');
for (const e of all('input:not([type=hidden])')) {
	if (e.labels.length !== 1 || !e.labels[0].textContent.trim())
		say('not one label', e);
	for (const id of (e.getAttribute('aria-describedby') || '').split(' '))
		if (id && !document.getElementById(id)) say('no ' + id, e);
	if (e.type !== 'checkbox' && !e.autocomplete) say('no autocomplete', e);
	if (e.getAttribute('aria-invalid') &&
	    !document.getElementById(e.id + '-error')) say('no error', e);
}
for (const e of all('a,button'))
	if (!e.textContent.trim()) say('no text', e);
for (const e of all('a')) {
	const to = e.getAttribute('href');
	if (to[0] === '#' && !document.querySelector(to)) say('no target', e);
}
if (all('[tabindex]').length) faults.push('tabindex');
if (all('script,[style],[onclick],[onload]').length) faults.push('inline');
for (const e of all('input:not([type=hidden]),button,footer a,header a')) {
	const r = e.getBoundingClientRect();
	if (r.height < 24 || r.width < 24) say('too small to hit', e);
}
if (document.documentElement.scrollWidth > innerWidth)
	faults.push('wider than the screen: ' +
	    document.documentElement.scrollWidth);
const parse = c => c.match(/[\d.]+/g).map(Number);
const light = c => {
	const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 :
	    ((v + .055) / 1.055) ** 2.4);
	return .2126 * r + .7152 * g + .0722 * b;
};
const behind = e => {
	for (; e; e = e.parentElement) {
		const c = parse(getComputedStyle(e).backgroundColor);
		if (c.length < 4 || c[3] > 0) return c.slice(0, 3);
	}
	return [255, 255, 255];
};
const ratio = (a, b) => {
	const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
	return (x + .05) / (y + .05);
};
let least = 21;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let n; (n = walker.nextNode());) {
	const e = n.parentElement;
	if (!n.data.trim()) continue;
	const r = ratio(parse(getComputedStyle(e).color).slice(0, 3), behind(e));
	least = Math.min(least, r);
	if (r < 4.5) say('contrast ' + r.toFixed(2), e);
}
for (const e of all('input:not([type=hidden]):not([type=checkbox])')) {
	const r = ratio(parse(getComputedStyle(e).borderTopColor).slice(0, 3),
	    behind(e.parentElement));
	if (r < 3) say('border ' + r.toFixed(2), e);
}
return [faults, least, all('main *').length];
'''


def audit(b, what):
    faults, least, elements = b.run(AUDIT)
    check('%s: labels, headings, sizes, contrast' % what,
          not faults and least >= 4.5 and elements >= 2,
          '\n'.join(faults) or (least, elements))


def pages_audited(b, name):
    for page in PAGES:
        b.go(URL + '/' + page)
        audit(b, '%s, /%s' % (name, page))
    for page in PAGES[1:]:
        send(b, page)
        says(b, '%s, /%s: nothing typed' % (name, page), 'did not work')
        audit(b, '%s, /%s with faults' % (name, page))
        picture(b, '%s-%s-faults' % (name, page))
    b.go(URL + '/nothing')
    audit(b, name + ', an error')
    picture(b, name + '-error')
    b.go(URL + '/')
    picture(b, name + '-home')


def scripts_are_off(b):
    b.go('data:text/html,<p>off</p><script>document.querySelector("p")'
         '.textContent = "on"</script>')
    check('JavaScript is off', b.text('p') == 'off', b.text('p'))


def visit(driver, name, size, *what, **options):
    b = Visitor(driver, os.path.join(FOLDER, 'profile-' + name), *size,
                **options)
    try:
        for step in what:
            step(b)
    finally:
        b.end()


def main():
    with open(os.path.join(FOLDER, 'chromedriver.log'), 'w') as log:
        driver = Driver(log)
        try:
            visit(driver, 'story', PHONE, scripts_are_off, account_made,
                  activated, checked, password_changed, email_changed,
                  password_forgotten, deleted, cookie_kept, keyboard_only,
                  scripts=False)
            for name, size in (('phone', PHONE), ('desk', DESK)):
                visit(driver, name, size, lambda b, name=name:
                      pages_audited(b, name), scripts=True)
            visit(driver, 'dark', PHONE, lambda b: pages_audited(b, 'dark'),
                  scripts=True, dark=True)
        finally:
            driver.end()


try:
    main()
except Exception:
    check('the story comes to its end', False, traceback.format_exc())
else:
    check('the story comes to its end', True)
print('1..%d' % count)
