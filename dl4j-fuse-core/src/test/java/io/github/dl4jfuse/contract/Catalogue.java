package io.github.dl4jfuse.contract;

import java.util.List;
import java.util.stream.Stream;

/** The networks of the contract. */
final class Catalogue {

    private static final List<Network> ALL = Stream.of(
                    DenseNetworks.all(),
                    ImageNetworks.all(),
                    SequenceNetworks.all(),
                    OptionNetworks.all(),
                    LossNetworks.all())
            .flatMap(List::stream)
            .toList();

    private Catalogue() {}

    static List<Network> all() {
        return ALL;
    }

    static Network named(String name) {
        return ALL.stream()
                .filter(network -> network.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no network " + name + " in the catalogue."));
    }
}
