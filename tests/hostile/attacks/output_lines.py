"""Three million short lines.

Aim: stop
"""

for number in range(3_000_000):
    if number % 1_000 == 0 and not hostile.busy():
        break
    print(number)
