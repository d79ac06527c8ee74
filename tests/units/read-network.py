"""Prints a key of a file as iwd reads it, by iwd's own library for such files.

    read-network.py FILE GROUP KEY
"""

import ctypes
import sys

path, group, key = (argument.encode() for argument in sys.argv[1:])
ell = ctypes.CDLL("libell.so.0")
ell.l_settings_new.restype = ctypes.c_void_p
ell.l_settings_load_from_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
ell.l_settings_load_from_file.restype = ctypes.c_bool
ell.l_settings_get_string.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
ell.l_settings_get_string.restype = ctypes.c_char_p

settings = ell.l_settings_new()
if not ell.l_settings_load_from_file(settings, path):
    sys.exit(f"iwd cannot read {sys.argv[1]}")
value = ell.l_settings_get_string(settings, group, key)
if value is None:
    sys.exit(f"iwd finds no [{sys.argv[2]}] {sys.argv[3]} in {sys.argv[1]}")
print(value.decode())
