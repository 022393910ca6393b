@NullMarked
package io.easyfaas.controller;

import org.jspecify.annotations.NullMarked;
