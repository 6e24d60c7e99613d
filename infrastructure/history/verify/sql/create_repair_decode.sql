create materialized view ${repair}.decode to ${repair}.rows as ${decode} from ${repair}.input
