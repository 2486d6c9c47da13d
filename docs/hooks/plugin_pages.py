"""Pages of the site that lie outside docs/: the READMEs of the plugins in plugins/.

They stay beside what they describe, as the long descriptions of their distributions. The site has
each as ``plugins/NAME.md``; links to a README, as they work in a view of the files, lead there.
"""

from __future__ import annotations

import posixpath
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the page of every plugin."""
    for readme in sorted(Path(config.docs_dir).parent.glob("plugins/*/README.md")):
        name = f"plugins/{readme.parent.name}.md"
        files.append(File.generated(config, name, abs_src_path=str(readme)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links from a page to a plugin's README lead to the plugin's page."""
    folder = posixpath.dirname(page.file.src_uri)
    to_root = posixpath.relpath("..", folder or ".")
    for file in files.documentation_pages():
        if file.src_uri.startswith("plugins/"):
            plugin = file.src_uri.removesuffix(".md")
            inside = posixpath.relpath(file.src_uri, folder or ".")
            markdown = markdown.replace(f"]({to_root}/{plugin}/README.md", f"]({inside}")
    return markdown
