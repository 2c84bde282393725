"""The whole file system is walked for notebooks, gradebooks, solutions, and what is planted.

Aim: read
"""

TELLING = ("solved/mnist.py", "mnist.ipynb", "checks/mnist_schedule.py", "gradebook.db", "judge.py")
for path in hostile.walk("/"):
    if "hostile" in path:
        hostile.loot(path)
    if path.endswith(TELLING) and "/nbgrader/" not in path:
        hostile.claim(f"{path} is in view")
