"""Visits the console of this machine as its users do: signs in, sets the own password, opens pages, comes back.

python3 desk_visitor.py enter LOGIN PASSWORD NEW     python3 desk_visitor.py again PATH ...
"""

import http.cookiejar
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ADDRESS = "http://127.0.0.1:9480"
jar = http.cookiejar.LWPCookieJar("/srv/cookies")
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))


def ask(path: str, **fields: str) -> str:
    """A page, or what a form leads to."""
    data = urllib.parse.urlencode(fields).encode() if fields else None
    request = urllib.request.Request(ADDRESS + path, data, {"Origin": ADDRESS})
    with browser.open(request, timeout=10) as answer:
        return answer.read().decode()


def wait() -> None:
    """Until it listens."""
    for _ in range(200):
        try:
            ask("/sign-in")
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return


wait()
if sys.argv[1] == "enter":
    login, password, new = sys.argv[2:]
    page = ask("/sign-in", login=login, password=password)
    token = re.search(r'name="token" value="(\w+)"', page)
    if token is not None:
        ask("/account/password", token=token[1], present=password, new=new, again=new)
    jar.save(ignore_discard=True)
    print(f"== {login}-signed-in {'yes' if token else 'no'}")
else:
    jar.load(ignore_discard=True)
    for path in sys.argv[2:]:
        page = ask(path)
        print(f"== page{path.replace('/', '-')} {'entrance' if '/sign-in' in page else 'shown'}")
