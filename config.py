"""placeholder"""
def load(env=None): return {}
