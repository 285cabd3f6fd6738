"""The definitions, written as one would on paper, without numpy."""

from __future__ import annotations

import math


def confusion_of(gold, predicted, classes):
    table = [[0] * classes for _ in range(classes)]
    for g, p in zip(gold, predicted, strict=True):
        table[g][p] += 1
    return table


def precision_recall_f1(gold, predicted, one):
    pairs = list(zip(gold, predicted, strict=True))
    hits = sum(g == one and p == one for g, p in pairs)
    found = sum(p == one for p in predicted)
    there = sum(g == one for g in gold)
    precision = hits / found if found else 0.0
    recall = hits / there if there else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


def f1_macro(gold, predicted):
    present = set(gold) | set(predicted)
    return sum(precision_recall_f1(gold, predicted, one)[2] for one in present) / len(present)


def f1_weighted(gold, predicted):
    scores = {one: precision_recall_f1(gold, predicted, one)[2] for one in set(gold)}
    return sum(scores[one] for one in gold) / len(gold)


def r_k(gold, predicted, classes):
    """Gorodkin 2004: the covariance of two tables of indicators."""

    def covariance(one, other):
        total = 0.0
        for k in range(classes):
            x, y = [float(c == k) for c in one], [float(c == k) for c in other]
            mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
            total += sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
        return total

    if len(set(gold)) == 1 or len(set(predicted)) == 1:
        return 0.0
    own = covariance(gold, gold) * covariance(predicted, predicted)
    return covariance(gold, predicted) / math.sqrt(own)


def pearson(x, y):
    if len(set(x)) == 1 or len(set(y)) == 1:
        return math.nan
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    dx, dy = [a - mean_x for a in x], [b - mean_y for b in y]
    together = math.fsum(a * b for a, b in zip(dx, dy, strict=True))
    return together / math.sqrt(math.fsum(a * a for a in dx) * math.fsum(b * b for b in dy))


def ranks(values):
    """How many are less, and the middle of those that are equal."""
    return [sum(o < v for o in values) + (1 + sum(o == v for o in values)) / 2 for v in values]


def softmax(logits):
    powers = [math.exp(x - max(logits)) for x in logits]
    return [p / sum(powers) for p in powers]
