"""Health check of a container: does our own service answer a path with 200? The image has no curl, and needs none."""

import os
import sys
import urllib.request

path = sys.argv[1] if len(sys.argv) > 1 else "/readyz"
url = f"http://127.0.0.1:{os.environ.get('SHOUWANG_HTTP_PORT', '8000')}{path}"
# No proxy: Docker puts the proxy of its own settings into every container, and that one cannot reach us.
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    direct.open(url, timeout=3).close()
except OSError as error:  # whatever is not 200, too: HTTPError is one
    sys.exit(f"{url}: {error}")
