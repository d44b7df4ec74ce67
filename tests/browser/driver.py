# SPDX-License-Identifier: MIT
"""A browser by WebDriver (W3C), as far as the tests of the pages need it.

Only the standard library: the protocol is JSON over HTTP.
"""
import base64
import json
import re
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
PATIENCE_S = 60


class Refused(Exception):
    """The driver has said no."""


class Driver:
    """chromedriver, at a port that it chooses itself."""

    def __init__(self, log):
        self.process = subprocess.Popen(
            ['chromedriver', '--port=0'], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=log, text=True)
        self.url = None
        for line in self.process.stdout:
            port = re.search(r'started successfully on port (\d+)', line)
            if port:
                self.url = 'http://127.0.0.1:' + port.group(1)
                break
        if self.url is None:
            raise Refused('chromedriver does not start')

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {'Content-Type': 'application/json'},
            method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S * 2) as f:
                return json.load(f)['value']
        except urllib.error.HTTPError as error:
            value = json.load(error)['value']
            raise Refused(value['error'] + ': ' + value['message']) from None

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Browser:
    """One window of Chromium."""

    def __init__(self, driver, folder, width, height, scripts, dark=False):
        # The certificate is the test's own; root needs --no-sandbox.
        arguments = ['--headless=new', '--no-sandbox', '--disable-gpu',
                     '--disable-dev-shm-usage', '--no-first-run',
                     '--disable-background-networking',
                     '--user-data-dir=' + folder,
                     '--window-size=%d,%d' % (width, height)]
        options = {'args': arguments, 'prefs': {
            'profile.managed_default_content_settings.javascript':
                1 if scripts else 2}}
        capabilities = {'acceptInsecureCerts': True,
                        'goog:chromeOptions': options}
        self.driver = driver
        value = driver.call('POST', '/session', {
            'capabilities': {'alwaysMatch': capabilities}})
        self.session = '/session/' + value['sessionId']
        self.chrome('Emulation.setDeviceMetricsOverride', width=width,
                    height=height, deviceScaleFactor=1, mobile=width < 600)
        if dark:
            self.chrome('Emulation.setEmulatedMedia', features=[
                {'name': 'prefers-color-scheme', 'value': 'dark'}])

    def call(self, method, path, body=None):
        return self.driver.call(method, self.session + path, body)

    def chrome(self, command, **parameters):
        return self.call('POST', '/goog/cdp/execute',
                         {'cmd': command, 'params': parameters})

    def end(self):
        self.driver.call('DELETE', self.session)

    def go(self, url):
        self.call('POST', '/url', {'url': url})

    def address(self):
        return self.call('GET', '/url')

    def title(self):
        return self.call('GET', '/title')

    def find(self, css):
        return self.call('POST', '/element', {
            'using': 'css selector', 'value': css})[ELEMENT]

    def count(self, css):
        return len(self.call('POST', '/elements', {
            'using': 'css selector', 'value': css}))

    def text(self, css='body'):
        return self.call('GET', '/element/%s/text' % self.find(css))

    def value(self, css):
        return self.call('GET', '/element/%s/property/value' %
                         self.find(css))

    def type(self, css, text):
        element = self.find(css)
        self.call('POST', '/element/%s/clear' % element, {})
        self.call('POST', '/element/%s/value' % element, {'text': text})

    def click(self, css):
        self.call('POST', '/element/%s/click' % self.find(css), {})

    def link(self, text):
        element = self.call('POST', '/element', {
            'using': 'link text', 'value': text})[ELEMENT]
        self.call('POST', '/element/%s/click' % element, {})

    def keys(self, keys):
        """Typed to whatever has the focus."""
        actions = []
        for key in keys:
            actions += [{'type': 'keyDown', 'value': key},
                        {'type': 'keyUp', 'value': key}]
        self.call('POST', '/actions', {'actions': [
            {'type': 'key', 'id': 'keyboard', 'actions': actions}]})

    def focused(self):
        element = self.call('GET', '/element/active')[ELEMENT]
        return (self.call('GET', '/element/%s/attribute/id' % element) or
                self.call('GET', '/element/%s/name' % element))

    def run(self, script, *arguments):
        return self.call('POST', '/execute/sync', {
            'script': script, 'args': list(arguments)})

    def shot(self, path):
        """The whole page, as a PNG."""
        size = self.chrome('Page.getLayoutMetrics')['cssContentSize']
        data = self.chrome(
            'Page.captureScreenshot', captureBeyondViewport=True,
            clip={'x': 0, 'y': 0, 'width': size['width'],
                  'height': size['height'], 'scale': 1})['data']
        with open(path, 'wb') as f:
            f.write(base64.b64decode(data))

    def cookies(self):
        return self.call('GET', '/cookie')

    def until(self, true):
        """Asks again until it holds."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                if true():
                    return True
            except Refused as why:
                if time.monotonic() > deadline:
                    raise why
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
