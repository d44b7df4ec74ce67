/* SPDX-License-Identifier: MIT */
/*
 * The sentences.  A translation is another file with the same names; plain
 * text in UTF-8, no markup.
 */
TEXT(LANGUAGE, "en")
TEXT(ACCOUNTS, "accounts")
TEXT(ERROR_TITLE, "Error: ")
TEXT(PROBLEM, "That did not work yet")
TEXT(HOME, "Everything about your account")

/* The pages: title, what it is for, button, in the list of pages, when it
 * was done, and what comes next. */
TEXT(HOME_TITLE, "Your account")
TEXT(HOME_INTRO, "One account opens every world of this network.")

TEXT(GROUP_NEW, "New here")
TEXT(GROUP_PASSWORD, "Your password")
TEXT(GROUP_EMAIL, "Your e-mail address")
TEXT(GROUP_DATA, "What is kept about you")

TEXT(REGISTER_TITLE, "Make an account")
TEXT(REGISTER_INTRO, "Choose a name and a password. We mail you a code that "
    "makes the account usable.")
TEXT(REGISTER_BUTTON, "Make the account")
TEXT(REGISTER_ABOUT, "Begin with this one.")
TEXT(REGISTER_DONE, "The account is made. We have mailed you a code: type it "
    "here, or follow the link in the mail.")

TEXT(ACTIVATE_TITLE, "Activate your account")
TEXT(ACTIVATE_INTRO, "With the code that was mailed to you.")
TEXT(ACTIVATE_BUTTON, "Activate")
TEXT(ACTIVATE_ABOUT, "With the code from the mail.")
TEXT(ACTIVATE_DONE, "The account is active. You can log in now.")

TEXT(RESEND_TITLE, "Send the code again")
TEXT(RESEND_INTRO, "A new code is mailed to the address that it was meant "
    "for, and the one before is good for nothing any more.")
TEXT(RESEND_BUTTON, "Send a code")
TEXT(RESEND_ABOUT, "The mail did not come? Look among the unwanted mail, "
    "then ask for another one.")
TEXT(RESEND_DONE, "A new code is on its way to you. It can take a few "
    "minutes.")

TEXT(CHECK_TITLE, "Check your password")
TEXT(CHECK_INTRO, "Shows whether name and password are right, and changes "
    "nothing.")
TEXT(CHECK_BUTTON, "Check")
TEXT(CHECK_ABOUT, "Are name and password right?")
TEXT(CHECK_DONE, "Name and password are right.")

TEXT(PASSWORD_TITLE, "Change your password")
TEXT(PASSWORD_INTRO, "Whoever is logged in with the old password is logged "
    "out everywhere.")
TEXT(PASSWORD_BUTTON, "Change the password")
TEXT(PASSWORD_ABOUT, "When you know the old one.")
TEXT(PASSWORD_DONE, "The password is changed. From now on only the new one "
    "is good.")

TEXT(FORGOTTEN_TITLE, "Forgotten password")
TEXT(FORGOTTEN_INTRO, "We mail you a link with which you can set a new one. "
    "It is good for 30 minutes, and once.")
TEXT(FORGOTTEN_BUTTON, "Mail me a link")
TEXT(FORGOTTEN_ABOUT, "Sets a new one by mail.")
TEXT(FORGOTTEN_DONE, "If there is an account with this name and this "
    "address, a link is on its way to you. It can take a few minutes.")

TEXT(RESET_TITLE, "Set a new password")
TEXT(RESET_INTRO, "With the code that was mailed to you.")
TEXT(RESET_BUTTON, "Set the password")
TEXT(RESET_ABOUT, "With the code from the mail.")
TEXT(RESET_DONE, "The new password is set. The code is used up.")

TEXT(EMAIL_TITLE, "Change your e-mail address")
TEXT(EMAIL_INTRO, "We mail a code to the new address. The old one stays "
    "until that code comes back.")
TEXT(EMAIL_BUTTON, "Change the address")
TEXT(EMAIL_ABOUT, "The new one is checked by a code.")
TEXT(EMAIL_DONE, "We have mailed a code to the new address: type it here, or "
    "follow the link in the mail.")

TEXT(CONFIRM_TITLE, "Confirm your e-mail address")
TEXT(CONFIRM_INTRO, "With the code that was mailed to the new address.")
TEXT(CONFIRM_BUTTON, "Confirm")
TEXT(CONFIRM_ABOUT, "With the code from the mail.")
TEXT(CONFIRM_DONE, "The new e-mail address is confirmed.")

TEXT(EXPORT_TITLE, "Download your data")
TEXT(EXPORT_INTRO, "Everything that is kept about your account, as a JSON "
    "file.")
TEXT(EXPORT_BUTTON, "Download")
TEXT(EXPORT_ABOUT, "All of it, as a file.")

TEXT(EXPORT_DONE, "The account server has sent no data.")

TEXT(DELETE_TITLE, "Delete your account")
TEXT(DELETE_INTRO, "The account and everything kept about it go away, for "
    "ever. This cannot be undone.")
TEXT(DELETE_BUTTON, "Delete the account")
TEXT(DELETE_ABOUT, "All of it, for ever.")
TEXT(DELETE_DONE, "The account is deleted.")

/* The fields: label, hint. */
TEXT(NAME, "Name")
TEXT(NAME_HINT, "2 to 31 letters a-z, digits, and . _ - in between. Capitals "
    "make no difference.")
TEXT(NAME_MISSING, "Type the account's name")
TEXT(NAME_BAD, "A name is 2 to 31 letters a-z, digits, and . _ - in between; "
    "it begins and ends with a letter or digit")
TEXT(NAME_TAKEN, "This name is taken, or looks too much like one that is; "
    "choose another one")

TEXT(PASSWORD, "Password")
TEXT(PASSWORD_OLD, "Password you have now")
TEXT(PASSWORD_AGAIN, "Password once more")
TEXT(PASSWORD_MISSING, "Type the password")
TEXT(PASSWORD_WRONG, "Name or password is wrong; type both again")

TEXT(NEW, "New password")
TEXT(NEW_HINT, "At least 8 characters. Several words are good, and easy to "
    "remember.")
TEXT(NEW_MISSING, "Choose a password")
TEXT(NEW_SHORT, "The password needs at least 8 characters")
TEXT(NEW_LONG, "The password is longer than 1024 bytes")
TEXT(NEW_BAD, "The password has characters that cannot be used")
TEXT(NEW_IS_NAME, "The password must not be the name")

TEXT(AGAIN, "New password once more")
TEXT(AGAIN_MISSING, "Type the same password once more")
TEXT(AGAIN_DIFFERS, "The two passwords differ; type both again")

TEXT(EMAIL, "E-mail address")
TEXT(EMAIL_HINT, "For the code, and for a forgotten password.")
TEXT(EMAIL_NEW, "New e-mail address")
TEXT(EMAIL_NEW_HINT, "We mail a code there.")
TEXT(EMAIL_OLD_HINT, "The one that belongs to the account.")
TEXT(EMAIL_MISSING, "Type an e-mail address")
TEXT(EMAIL_BAD, "This is not an address that mail can be sent to; it looks "
    "like name@example.org")

TEXT(PRIVATE, "Keep the address private")
TEXT(PRIVATE_HINT, "Other people on the network do not get to see it.")

TEXT(CODE, "Code from the mail")
TEXT(CODE_HINT, "The link in the mail fills this in.")
TEXT(CODE_MISSING, "Type the code from the mail")
TEXT(CODE_BAD, "The code is wrong, too old, or was used already")

TEXT(SURE, "Yes, delete this account for ever")
TEXT(SURE_MISSING, "Tick this when you are sure")

/* What the account server says of the whole. */
TEXT(NOT_ACTIVATED, "This account is not active yet. Activate it with the "
    "code that was mailed, or have the code sent again.")
TEXT(ALREADY_ACTIVATED, "This account is active already: there is nothing "
    "more to do.")
TEXT(LOCKED, "This account is locked. Whoever runs this network can tell "
    "you why.")
TEXT(NOT_ALLOWED, "That is not allowed for this account.")
TEXT(REFUSED, "The account server did not accept this. Nothing was changed.")
TEXT(TRY_LATER, "The account server cannot do this at the moment. Nothing was "
    "changed: please try again in a little while.")
TEXT(WAIT_SECONDS, "Seconds to wait:")
TEXT(UNCERTAIN, "The account server has not answered in time. It may have "
    "been done, or not: check your password to find out, before you try it "
    "again.")

/* What is wrong with the request. */
TEXT(TOKEN_EXPIRED, "This form was open for too long. Nothing was changed: "
    "please send it once more.")
TEXT(TOKEN_WRONG, "This form did not come from here, or your browser has lost "
    "our cookie. Nothing was changed: please fill it in once more. Cookies "
    "must be allowed for that.")
TEXT(BAD_REQUEST_TITLE, "That was not understood")
TEXT(BAD_REQUEST, "What your browser has sent is damaged. Nothing was "
    "changed.")
TEXT(NOT_HTTPS_TITLE, "Only over a secure connection")
TEXT(NOT_HTTPS, "Passwords are taken over HTTPS only. Use the address that "
    "begins with https://.")
TEXT(NOT_FOUND_TITLE, "There is no such page")
TEXT(NOT_FOUND, "The address may be mistyped.")
TEXT(METHOD_TITLE, "That cannot be done with this page")
TEXT(METHOD, "Pages are read and forms are sent; nothing else.")
TEXT(ACCEPT_TITLE, "Only HTML")
TEXT(ACCEPT, "This page exists as HTML only, which your program does not "
    "want.")
TEXT(TOO_LONG_TITLE, "Too much")
TEXT(TOO_LONG, "That is more than any of the forms here can be. Nothing was "
    "changed.")
TEXT(TYPE_TITLE, "Not a form")
TEXT(TYPE, "What your program has sent is no form of this site.")
TEXT(TOO_OFTEN_TITLE, "Too often")
TEXT(TOO_OFTEN, "Too many forms came from your address. Nothing was changed: "
    "please wait a minute.")
TEXT(BROKEN_TITLE, "That failed here")
TEXT(BROKEN, "This server could not finish the page. Nothing was changed.")
