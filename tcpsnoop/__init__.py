"""tcpsnoop: the DTrace tcp provider, rebuilt from packets.

The map; nouns flow, stages transform, one place joins them (docs/architecture.md):

- `batches`, `report`, `errors`: the nouns
- `kernel`: the decorator of compiled loops; `formatting`: values as bytes
- `interfaces`: what a source, a reporter, a renderer, an owner lookup must offer
- `sources` → `dissect` → `provider` → `owners` → `reporters` → `renderers`: the stages
- `accumulate`: mergeable sums for reporters; `names`: host and service names
- `engine`: joins the stages; `registry`: finds plug-ins by name; `cli`: the command line
"""
