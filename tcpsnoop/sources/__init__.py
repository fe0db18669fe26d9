"""Where packets come from: live interfaces, capture files, memory; and the filter over them."""
